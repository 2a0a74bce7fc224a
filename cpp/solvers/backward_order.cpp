#include "solvers/backward_order.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

#include "graph/acyclic.hpp"

namespace rlt {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

}  // namespace

Room<std::int32_t> backward_order(const ModelView& m, Origin origin) {
    WaysIn p = ways_in(m);
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
    Room<std::int32_t> first = acyclic_part(p);
    if (!mostly(first.size(), m.n_states)) return order;
    std::fill(fresh.begin(), fresh.end(), 1);
    for (const std::int32_t s : first) fresh[at(s)] = 0;
    std::copy_if(order.begin(), order.end(), std::back_inserter(first),
                 [&](std::int32_t s) { return fresh[at(s)] != 0; });
    return first;
}

}  // namespace rlt
