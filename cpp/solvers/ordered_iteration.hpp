// Policy iteration for models through which news travels slowly.
//
// Gauss-Seidel sweeps in an order backwards from where most is earned find a policy that is nearly
// right; its equations are solved a little by a Krylov method; and so on in turn. Where no action
// changes any more, the equations are solved to the end. What is proved of this, and what is not:
// docs/theory/planning.md, ordered sweeps.
#pragma once

#include "model/view.hpp"
#include "solvers/sweeps.hpp"
#include "support/monitor.hpp"

namespace rlt {

// Starts from `value`, leaves the last value there and in `rows` a policy that is greedy in it up
// to rounding. `converged` when the last sweep changed nothing by more than (1 - discount) times
// the target, or than rounding. It always ends: with less than that where it makes no progress.
Iterations ordered_policy_iteration(const ModelView& m, double discount, Target target,
                                    double* value, std::int64_t* rows, const Monitor& monitor);

// At discount 1: sweeps backwards from where rows end, from `value` and the policy in `rows`, until
// one changes nothing by more than the target, or changes become no smaller, or `most` were made.
Iterations ordered_total_sweeps(const ModelView& m, Target target, std::int64_t most, double* value,
                                std::int64_t* rows, const Monitor& monitor);

}  // namespace rlt
