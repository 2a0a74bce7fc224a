// Strongly connected components (Tarjan 1972), with a stack of our own: a chain of a million
// states must not exhaust the machine's.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.hpp"

namespace rlt {

// Finds the components of parts of a graph, one part after another, in time linear in the part.
class ComponentFinder {
public:
    explicit ComponentFinder(const Graph& g);

    // The components of the states in `members` along the rows in `keep`. Edges to states of
    // another `group` than that of the members are ignored. Afterwards `order` lists the members
    // component by component, those that are reached before those that reach them, and component
    // i is order[starts[i]] .. order[starts[i + 1] - 1].
    void run(const std::vector<std::int32_t>& members, const std::vector<std::uint8_t>& keep,
             const std::vector<std::int64_t>& group);

    std::vector<std::int32_t> order;
    std::vector<std::size_t> starts;

private:
    struct Frame {
        std::int32_t state;
        std::int64_t row;    // being followed
        std::int64_t entry;  // of the row, the next to follow
    };

    void enter(std::int32_t s);

    const Graph& g_;
    std::vector<std::int64_t> index_;  // 0: not seen, -1: in a finished component
    std::vector<std::int64_t> low_;
    std::vector<std::int32_t> stack_;
    std::vector<Frame> frames_;
    std::int64_t seen_ = 0;
};

// The component of each state, numbered so that no row of `keep` leads to a larger number.
std::vector<std::int64_t> components(const Graph& g, const std::vector<std::uint8_t>& keep);

}  // namespace rlt
