#include "graph/graph.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace rlt {

Graph::Graph(const ModelView& m) : n_states(m.n_states), n_rows(m.n_rows) {
    const auto rows_count = static_cast<std::size_t>(n_rows);
    state_ptr.assign(m.state_ptr, m.state_ptr + n_states + 1);
    owner.resize(rows_count);
    ends.resize(rows_count);
    row_ptr.reserve(rows_count + 1);
    row_ptr.push_back(0);
    col.reserve(static_cast<std::size_t>(m.n_entries));
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t s = 0; s < n_states; ++s) {
            for (std::int64_t row = m.row_begin(0, s); row < m.row_end(0, s); ++row) {
                owner[static_cast<std::size_t>(row)] = static_cast<std::int32_t>(s);
                ends[static_cast<std::size_t>(row)] = rows.exit(row) > 0.0;
                rows.each(row, [&](std::int32_t j, double p) {
                    if (p > 0.0) col.push_back(j);
                });
                row_ptr.push_back(static_cast<std::int64_t>(col.size()));
            }
        }
    });
}

Graph::Graph(const ModelView& m, const std::int64_t* chosen)
    : n_states(m.n_states), n_rows(m.n_states) {
    const auto n = static_cast<std::size_t>(n_states);
    state_ptr.resize(n + 1);
    std::iota(state_ptr.begin(), state_ptr.end(), 0);
    owner.resize(n);
    std::iota(owner.begin(), owner.end(), 0);
    ends.resize(n);
    row_ptr.reserve(n + 1);
    row_ptr.push_back(0);
    with_rows(m, [&](const auto& rows) {
        for (std::size_t s = 0; s < n; ++s) {
            ends[s] = rows.exit(chosen[s]) > 0.0;
            rows.each(chosen[s], [&](std::int32_t j, double p) {
                if (p > 0.0) col.push_back(j);
            });
            row_ptr.push_back(static_cast<std::int64_t>(col.size()));
        }
    });
}

Graph::Graph(std::vector<std::int64_t> first, const std::int32_t* to)
    : n_states(static_cast<std::int64_t>(first.size()) - 1),
      n_rows(first.back()),
      state_ptr(std::move(first)),
      row_ptr(static_cast<std::size_t>(n_rows) + 1),
      col(to, to + n_rows),
      owner(static_cast<std::size_t>(n_rows)),
      ends(static_cast<std::size_t>(n_rows), 0) {
    std::iota(row_ptr.begin(), row_ptr.end(), 0);
    for (std::int64_t s = 0; s < n_states; ++s)
        std::fill(owner.begin() + row_begin(s), owner.begin() + row_end(s),
                  static_cast<std::int32_t>(s));
}

Predecessors::Predecessors(const Graph& g)
    : ptr(static_cast<std::size_t>(g.n_states) + 1, 0), row(g.col.size()) {
    for (const std::int32_t j : g.col) ++ptr[static_cast<std::size_t>(j) + 1];
    for (std::size_t s = 1; s < ptr.size(); ++s) ptr[s] += ptr[s - 1];
    std::vector<std::int64_t> next(ptr.begin(), ptr.end() - 1);
    for (std::int64_t r = 0; r < g.n_rows; ++r)
        g.successors(r, [&](std::int32_t j) {
            row[static_cast<std::size_t>(next[static_cast<std::size_t>(j)]++)] = r;
        });
}

}  // namespace rlt
