// Howard's policy iteration on models small enough for dense factors.
#pragma once

#include <cstdint>

#include "model/view.hpp"
#include "support/monitor.hpp"

namespace rlt {

// Starts from the policy that is greedy for `value`, leaves the value of the last policy in `value`
// and the policy in `rows`. Ends where no action is better beyond rounding, or a policy would come
// back; returns the number of policies. Not finite where equations are singular as doubles.
std::int64_t policy_iteration(const ModelView& m, double discount, double* value,
                              std::int64_t* rows, const Monitor& monitor);

}  // namespace rlt
