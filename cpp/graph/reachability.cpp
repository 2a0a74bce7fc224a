#include "graph/reachability.hpp"

namespace rlt {

namespace {

Reached search(const Graph& g, const Predecessors& into, const std::vector<std::uint8_t>& keep,
               const std::vector<std::uint8_t>& goal) {
    const auto n = static_cast<std::size_t>(g.n_states);
    Reached result{std::vector<std::uint8_t>(goal), std::vector<std::int64_t>(n, -1)};
    std::vector<std::int32_t> queue;
    queue.reserve(n);
    for (std::int32_t s = 0; s < g.n_states; ++s) {
        const auto state = static_cast<std::size_t>(s);
        if (goal[state]) queue.push_back(s);
        for (std::int64_t row = g.row_begin(s); row < g.row_end(s) && !result.state[state]; ++row) {
            if (!keep[static_cast<std::size_t>(row)] || !g.ends[static_cast<std::size_t>(row)])
                continue;
            result.state[state] = 1;
            result.row[state] = row;
            queue.push_back(s);
        }
    }
    for (std::size_t k = 0; k < queue.size(); ++k) {
        into.each(queue[k], [&](std::int64_t row) {
            const std::int32_t s = g.owner[static_cast<std::size_t>(row)];
            const auto state = static_cast<std::size_t>(s);
            if (!keep[static_cast<std::size_t>(row)] || result.state[state]) return;
            result.state[state] = 1;
            result.row[state] = row;
            queue.push_back(s);
        });
    }
    return result;
}

}  // namespace

Reached reach_possibly(const Graph& g, const std::vector<std::uint8_t>& keep,
                       const std::vector<std::uint8_t>& goal) {
    return search(g, Predecessors(g), keep, goal);
}

Reached reach_certainly(const Graph& g, const std::vector<std::uint8_t>& keep,
                        const std::vector<std::uint8_t>& goal) {
    const Predecessors into(g);
    std::vector<std::uint8_t> rows(keep);
    std::vector<std::uint8_t> out(static_cast<std::size_t>(g.n_states), 0);
    for (;;) {
        Reached result = search(g, into, rows, goal);
        bool smaller = false;
        for (std::int32_t s = 0; s < g.n_states; ++s) {
            const auto state = static_cast<std::size_t>(s);
            if (result.state[state] || out[state]) continue;
            out[state] = 1;
            into.each(s, [&](std::int64_t row) {
                const auto owner = static_cast<std::size_t>(g.owner[static_cast<std::size_t>(row)]);
                smaller = smaller || (rows[static_cast<std::size_t>(row)] && !goal[owner] &&
                                      result.state[owner]);
                rows[static_cast<std::size_t>(row)] = 0;
            });
        }
        if (!smaller) return result;
    }
}

}  // namespace rlt
