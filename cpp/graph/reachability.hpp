// Where a goal, or an ending, can be reached: with some chance, or for certain, under some policy.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.hpp"

namespace rlt {

struct Reached {
    std::vector<std::uint8_t> state;  // whether a policy reaches it from here
    std::vector<std::int64_t> row;    // what this policy does: -1 at goals and where none does
};

// The goal: states in `goal`, and endings of the rows in `keep`, which alone are used. Each row
// chosen leads, with some chance, one step nearer.
Reached reach_possibly(const Graph& g, const std::vector<std::uint8_t>& keep,
                       const std::vector<std::uint8_t>& goal);

// With probability 1: the greatest set of states at which some row keeps to the set and from
// which the goal is reached possibly without leaving it.
Reached reach_certainly(const Graph& g, const std::vector<std::uint8_t>& keep,
                        const std::vector<std::uint8_t>& goal);

}  // namespace rlt
