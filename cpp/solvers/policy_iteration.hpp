// Howard's policy iteration on models small enough for dense factors.
#pragma once

#include <cstdint>

#include "model/view.hpp"
#include "solvers/sweeps.hpp"
#include "support/monitor.hpp"

namespace rlt {

// Starts from the policy that is greedy for `value`, leaves the value of the last policy in `value`
// and the policy in `rows`. Ends where no action is better beyond rounding, or a policy would come
// back, or, unconverged, after so many policies. Not finite where equations are singular as
// doubles. Counts policies, not sweeps.
Iterations policy_iteration(const ModelView& m, double discount, std::int64_t most, double* value,
                            std::int64_t* rows, const Monitor& monitor);

}  // namespace rlt
