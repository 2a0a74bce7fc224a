// The largest probability, over all policies, of being in a state at a stage.
//
// For a target (h, s): u_h = 1{s}, u_j(x) = max_a sum_y P_j(y | x, a) u_{j+1}(y), and
// D_h(s) = sum_x rho(x) u_0(x). In a stationary model u depends on h - j alone, so one pass
// backward serves the same state at every stage: O(H S entries) for all targets, against O(H^2 S
// entries) of one stage when stages differ.
//
// Targets go through a sweep eight at a time, their vectors interleaved: an entry of a row is read
// once for all eight, and their values at its successor share a cache line.
#pragma once

#include <cstdint>

#include "model/view.hpp"
#include "support/monitor.hpp"

namespace rlt {

// reach (horizon, n_states). No entry exceeds 1.
void largest_state_occupancy(const ModelView& m, std::int64_t horizon, const double* initial,
                             double* reach, const Monitor& monitor);

}  // namespace rlt
