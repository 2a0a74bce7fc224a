#include "graph/closed_classes.hpp"

#include <algorithm>
#include <vector>

namespace rlt {

namespace {

// The successors of every state, in one array.
struct Successors {
    std::vector<std::int64_t> ptr{0};
    std::vector<std::int32_t> to;

    Successors(const ModelView& m, const std::int64_t* chosen) {
        ptr.reserve(static_cast<std::size_t>(m.n_states) + 1);
        with_rows(m, [&](const auto& rows) {
            for (std::int64_t s = 0; s < m.n_states; ++s) {
                rows.each(chosen[s], [&](std::int32_t j, double p) {
                    if (p > 0.0) to.push_back(j);
                });
                ptr.push_back(static_cast<std::int64_t>(to.size()));
            }
        });
    }
};

constexpr std::int64_t none = -1;
constexpr std::int64_t several = -2;

}  // namespace

std::int64_t closed_classes(const ModelView& m, const std::int64_t* chosen, std::int64_t* class_of,
                            std::int64_t* reaches) {
    const Successors next(m, chosen);
    const auto n = static_cast<std::size_t>(m.n_states);
    std::vector<std::int64_t> order(n, none), lowest(n), edge(n), component(n, none);
    std::vector<std::size_t> stack, path;
    std::int64_t visited = 0, components = 0, classes = 0;
    const auto head = [&](std::int64_t k) {
        return static_cast<std::size_t>(next.to[static_cast<std::size_t>(k)]);
    };
    // Everything above `first` on the stack is one component.
    const auto close = [&](std::size_t first) {
        const std::int64_t name = components++;
        for (std::size_t i = first; i < stack.size(); ++i) component[stack[i]] = name;
        std::int64_t reached = none;
        for (std::size_t i = first; i < stack.size(); ++i)
            for (auto k = next.ptr[stack[i]]; k < next.ptr[stack[i] + 1]; ++k) {
                const std::size_t t = head(k);
                if (component[t] == name) continue;
                if (reached == none) reached = reaches[t];
                if (reached != reaches[t]) reached = several;
            }
        const std::int64_t own = reached == none ? classes++ : none;
        for (std::size_t i = first; i < stack.size(); ++i) {
            class_of[stack[i]] = own;
            reaches[stack[i]] = own == none ? reached : own;
        }
        stack.resize(first);
    };
    for (std::size_t root = 0; root < n; ++root) {
        if (order[root] != none) continue;
        path.push_back(root);
        while (!path.empty()) {
            const std::size_t s = path.back();
            if (order[s] == none) {
                order[s] = lowest[s] = visited++;
                edge[s] = next.ptr[s];
                stack.push_back(s);
            }
            while (edge[s] < next.ptr[s + 1] && order[head(edge[s])] != none) {
                const std::size_t t = head(edge[s]++);
                if (component[t] == none) lowest[s] = std::min(lowest[s], lowest[t]);
            }
            if (edge[s] < next.ptr[s + 1]) {
                path.push_back(head(edge[s]));  // looked at again when it is done
                continue;
            }
            path.pop_back();
            if (lowest[s] != order[s]) continue;
            std::size_t first = stack.size();
            while (stack[--first] != s) {
            }
            close(first);
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
