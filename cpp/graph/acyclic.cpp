#include "graph/acyclic.hpp"

#include <algorithm>

namespace rlt {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

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

bool leads_on(const CsrRows& rows, std::int64_t r, std::int64_t s) {
    const std::int32_t* const end = rows.col + rows.row_ptr[r + 1];
    return std::any_of(rows.col + rows.row_ptr[r], end, [=](std::int32_t j) { return j != s; });
}

bool leads_on(const DenseRows& rows, std::int64_t r, std::int64_t s) {
    const double* const p = rows.prob + r * rows.n;
    const auto some = [](double x) { return x != 0.0; };
    return std::any_of(p, p + s, some) || std::any_of(p + s + 1, p + rows.n, some);
}

bool leads_on(const DeterministicRows& rows, std::int64_t r, std::int64_t s) {
    return rows.next[r] >= 0 && rows.next[r] != s;
}

bool every_state_leads_on(const ModelView& m) {
    return with_rows(m, [&](const auto& rows) {
        for (std::int64_t s = 0; s < m.n_states; ++s) {
            bool on = false;
            for (std::int64_t r = m.row_begin(0, s); r < m.row_end(0, s) && !on; ++r)
                on = leads_on(rows, r, s);
            if (!on) return false;
        }
        return true;
    });
}

}  // namespace

WaysIn ways_in(const ModelView& m) {
    const auto n = static_cast<std::int32_t>(m.n_states);
    WaysIn p;
    p.ptr.assign(at(n) + 1, 0);
    p.others.resize(at(n));
    Room<std::int32_t> last(at(n), -1);  // the one seen last; nothing branches on it
    with_rows(m, [&](const auto& rows) {
        std::int64_t* const ptr = p.ptr.data();
        std::int32_t* const seen = last.data();
        for (std::int32_t s = 0; s < n; ++s) {
            std::int32_t successors = 0;
            each_successor(rows, m, s, [&](std::int32_t j) {
                const bool is_new = seen[j] != s;
                ptr[j] += is_new;
                successors += is_new;
                seen[j] = s;
            });
            p.others[at(s)] = successors - (seen[s] == s);
        }
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

Room<std::int32_t> acyclic_part(WaysIn& p) {
    Room<std::int32_t> order;
    Room<std::int32_t>& left = p.others;
    for (std::size_t s = 0; s < left.size(); ++s)
        if (left[s] == 0) order.push_back(static_cast<std::int32_t>(s));
    for (std::size_t next = 0; next < order.size(); ++next) {
        const auto s = at(order[next]);
        for (auto k = p.ptr[s]; k < p.ptr[s + 1]; ++k) {
            const std::int32_t from = p.from[at(k)];
            if (from != order[next] && --left[at(from)] == 0) order.push_back(from);
        }
    }
    return order;
}

bool mostly_acyclic(const ModelView& m) {
    if (every_state_leads_on(m)) return false;
    WaysIn p = ways_in(m);
    return mostly(acyclic_part(p).size(), m.n_states);
}

}  // namespace rlt
