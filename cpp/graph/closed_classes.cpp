#include "graph/closed_classes.hpp"

#include <numeric>
#include <vector>

#include "graph/components.hpp"
#include "graph/graph.hpp"

namespace rlt {

namespace {

constexpr std::int64_t none = -1;
constexpr std::int64_t several = -2;

}  // namespace

std::int64_t closed_classes(const ModelView& m, const std::int64_t* chosen, std::int64_t* class_of,
                            std::int64_t* reaches) {
    const Graph g(m, chosen);
    const auto n = static_cast<std::size_t>(m.n_states);
    const std::vector<std::int64_t> component = components(g, std::vector<std::uint8_t>(n, 1));
    // State after state by component: those that are led to come first.
    std::vector<std::int64_t> first(n + 1, 0);
    for (const std::int64_t c : component) ++first[static_cast<std::size_t>(c) + 1];
    std::partial_sum(first.begin(), first.end(), first.begin());
    std::vector<std::size_t> member(n);
    std::vector<std::int64_t> next(first.begin(), first.end() - 1);
    for (std::size_t s = 0; s < n; ++s)
        member[static_cast<std::size_t>(next[static_cast<std::size_t>(component[s])]++)] = s;
    std::int64_t classes = 0;
    for (std::size_t c = 0; c < n && first[c] < static_cast<std::int64_t>(n); ++c) {
        const auto begin = static_cast<std::size_t>(first[c]);
        const auto end = static_cast<std::size_t>(first[c + 1]);
        std::int64_t reached = none;
        for (std::size_t i = begin; i < end; ++i)
            g.successors(static_cast<std::int64_t>(member[i]), [&](std::int32_t t) {
                const auto to = static_cast<std::size_t>(t);
                if (component[to] == static_cast<std::int64_t>(c)) return;
                if (reached == none) reached = reaches[to];
                if (reached != reaches[to]) reached = several;
            });
        const std::int64_t own = reached == none ? classes++ : none;
        for (std::size_t i = begin; i < end; ++i) {
            class_of[member[i]] = own;
            reaches[member[i]] = own == none ? reached : own;
        }
    }
    std::vector<std::int64_t> renamed(static_cast<std::size_t>(classes), none);
    std::int64_t named = 0;
    for (std::size_t s = 0; s < n; ++s)
        if (class_of[s] != none && renamed[static_cast<std::size_t>(class_of[s])] == none)
            renamed[static_cast<std::size_t>(class_of[s])] = named++;
    for (std::size_t s = 0; s < n; ++s) {
        if (class_of[s] != none) class_of[s] = renamed[static_cast<std::size_t>(class_of[s])];
        reaches[s] = reaches[s] == several ? none : renamed[static_cast<std::size_t>(reaches[s])];
    }
    return classes;
}

}  // namespace rlt
