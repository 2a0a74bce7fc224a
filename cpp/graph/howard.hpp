// Maximum mean cycles by Howard's policy iteration, for every vertex at once.
//
// A vertex switches to an arc that leads to a larger gain or, among those that keep the gain, to
// one that raises w - g + h(to); on ties it keeps its arc.
//
// It ends: along a cycle of the new policy the old gains do not fall, so they are equal, and the
// mean exceeds them unless no arc of the cycle is new. So gains never fall, and while they stay,
// all cycles are old ones, with their references, and the potentials rise. That the reference
// depends on the cycle alone is essential: with the vertex at which a traversal happens to enter
// the cycle, policies repeat for ever (claim lsd-gain-agree of rltheory/lsd_bandits).
//
// Reference: Cochet-Terrasson, Cohen, Gaubert, McGettrick and Quadrat, Numerical computation of
// spectral elements in max-plus algebra, IFAC 1998.
#pragma once

#include "graph/mean_cycles.hpp"
#include "support/monitor.hpp"

namespace rlt {

// Starts at the largest weight of each vertex, and gives up after `most` policies. Slacks are for
// doubles, and ignored for integers: gains that differ by at most gain_slack times the largest
// weight are of one level, and a potential must rise by more than potential_slack times the largest
// potential or weight to count.
template <class Weight>
MeanCycles<Weight> howard_cycles(const Arcs<Weight>& arcs, double gain_slack,
                                 double potential_slack, std::int64_t most, const Monitor& monitor);

}  // namespace rlt
