// Maximum mean cycles by Howard's policy iteration, for every vertex at once.
//
// In sweeps over all vertices, and in place, the pair (gain, potential) of a vertex is raised in
// lexicographic order to the best (gain of to, w - g + h(to)) of its arcs, and the policy with it;
// on ties it keeps its arc. Then the new policy is evaluated. What is learnt at one end of a chain
// reaches the other in a sweep, where plain policy iteration takes a policy for each arc.
//
// It ends. After the sweeps, gains do not fall along arcs of the new policy, and where they stay
// h(v) <= w - g + h(to). So they stay around a cycle, whose mean is at least g; and above g if a
// vertex of it was raised: the last one to be raised left its predecessor below. Hence gains never
// fall, and while they stay, all cycles are old ones, with their references, and potentials rise.
// That the reference depends on the cycle alone is essential: with the vertex at which a traversal
// happens to enter the cycle, policies can repeat for ever (claim lsd-gain-agree of lsd_bandits).
//
// Reference: Cochet-Terrasson, Cohen, Gaubert, McGettrick and Quadrat, Numerical computation of
// spectral elements in max-plus algebra, IFAC 1998.
#pragma once

#include "graph/mean_cycles.hpp"
#include "support/monitor.hpp"

namespace rlt {

// Starts at the largest weight of each vertex.
MeanCycles howard_cycles(const Arcs<std::int64_t>& arcs, const Monitor& monitor);

}  // namespace rlt
