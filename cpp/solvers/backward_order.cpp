#include "solvers/backward_order.hpp"

#include <algorithm>
#include <limits>

namespace rlt {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// For each state, the states with a row that leads there, each once.
struct Predecessors {
    Room<std::int64_t> ptr;
    Room<std::int32_t> from;
};

// Calls f(j) for what the rows of state s lead to: where it lies together, in one loop.
template <class F>
void each_successor(const CsrRows& rows, const ModelView& m, std::int64_t s, F&& f) {
    const std::int64_t end = rows.row_ptr[m.row_end(0, s)];
    for (std::int64_t k = rows.row_ptr[m.row_begin(0, s)]; k < end; ++k) f(rows.col[k]);
}

template <class Rows, class F>
void each_successor(const Rows& rows, const ModelView& m, std::int64_t s, F&& f) {
    for (std::int64_t r = m.row_begin(0, s); r < m.row_end(0, s); ++r)
        rows.each(r, [&](std::int32_t j, double) { f(j); });
}

Predecessors predecessors(const ModelView& m) {
    const auto n = static_cast<std::int32_t>(m.n_states);
    Predecessors p;
    p.ptr.assign(at(n) + 1, 0);
    Room<std::int32_t> last(at(n), -1);  // the one seen last; nothing branches on it
    with_rows(m, [&](const auto& rows) {
        std::int64_t* const ptr = p.ptr.data();
        std::int32_t* const seen = last.data();
        for (std::int32_t s = 0; s < n; ++s)
            each_successor(rows, m, s, [&](std::int32_t j) {
                ptr[j] += seen[j] != s;
                seen[j] = s;
            });
        for (std::int32_t s = 0; s < n; ++s) ptr[s + 1] += ptr[s];
        p.from.resize(at(ptr[n]));
        std::int32_t* const from = p.from.data();
        std::fill(last.begin(), last.end(), -1);
        // Filled from the last to the first, each pointer ends where its states begin.
        for (std::int32_t s = n; s-- > 0;)
            each_successor(rows, m, s, [&](std::int32_t j) {
                ptr[j] -= seen[j] != s;
                seen[j] = s;
                from[ptr[j]] = s;
            });
    });
    return p;
}

}  // namespace

Room<std::int32_t> backward_order(const ModelView& m, Origin origin) {
    const Predecessors p = predecessors(m);
    Room<double> most(at(m.n_states), -std::numeric_limits<double>::infinity());
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t s = 0; s < m.n_states; ++s)
            for (std::int64_t r = m.row_begin(0, s); r < m.row_end(0, s); ++r)
                most[at(s)] = std::max(most[at(s)], origin == Origin::exits
                                                        ? static_cast<double>(rows.exit(r) > 0.0)
                                                        : m.reward[r]);
    });
    const double largest = *std::max_element(most.begin(), most.end());
    // Whether a state is new is hard to predict: each is put at the end, which moves on if it is.
    Room<std::int32_t> order(at(m.n_states) + 1);
    Room<std::uint8_t> fresh(at(m.n_states), 1);
    std::size_t next = 0, size = 0;
    const auto visit = [&](std::int32_t s) {
        order[size] = s;
        size += fresh[at(s)];
        fresh[at(s)] = 0;
    };
    const auto spread = [&] {
        for (; next < size; ++next) {
            const auto s = at(order[next]);
            for (auto k = p.ptr[s]; k < p.ptr[s + 1]; ++k) visit(p.from[at(k)]);
        }
    };
    for (std::int32_t s = 0; s < m.n_states; ++s)
        if (most[at(s)] == largest) visit(s);
    spread();
    for (std::int32_t s = 0; s < m.n_states; ++s) {
        visit(s);
        spread();
    }
    order.resize(size);
    return order;
}

}  // namespace rlt
