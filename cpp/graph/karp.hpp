// Maximum mean cycles by Karp's formula, for every vertex at once.
//
// In a strongly connected part of n vertices, with D_j(v) the largest weight of a walk of j arcs
// from one vertex of it to v (-infinity where there is none), the maximum mean is
//
//     max over v of min over 0 <= j < n of (D_n(v) - D_j(v)) / (n - j),
//
// leaving out -infinity, and every cycle on the walk of n arcs to the maximiser attains it. A
// vertex has the largest gain of the parts that it reaches. Potentials are the largest weights,
// less gains, of walks that keep to one gain; none of Howard's.
//
// Reference: Karp, A characterization of the minimum cycle mean in a digraph, Discrete Math. 1978.
#pragma once

#include "graph/mean_cycles.hpp"
#include "support/monitor.hpp"

namespace rlt {

inline constexpr std::int64_t most_karp_vertices = 8000;  // a gigabyte of 128-bit integers

// O(V E) time, (n + 1) n entries of memory for the largest part. `part` is the strongly connected
// part of each vertex, numbered from 0 so that no arc leads to a larger number.
MeanCycles karp_cycles(const Arcs<std::int64_t>& arcs, const std::vector<std::int64_t>& part,
                       const Monitor& monitor);

}  // namespace rlt
