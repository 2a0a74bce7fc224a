// Bellman backups regularised by a relative entropy: with reference laws rho(. | s), a temperature
// tau and a bonus b of each state,
//     (T v)(s) = b(s) + tau log sum_a rho(a | s) exp((r + discount P v)(s, a) / tau).
// The entropy is the case of uniform laws and b = tau log(number of actions).
//
// T is monotone and passes constants on like the hard operator, so the MacQueen bracket stops its
// iteration, and a bound of its residuals gives bounds of its fixed point.
#pragma once

#include <cstdint>

#include "model/view.hpp"
#include "solvers/certificates.hpp"
#include "solvers/sweeps.hpp"
#include "support/monitor.hpp"

namespace rlt {

// Weights and logarithms, as in soft_maximum.hpp, of the rows of one stage, from its first row.
struct Regularizer {
    double temperature;
    const double* weight;
    const double* log_weight;
    const double* bonus;  // one a state; within 16 ulps of the exact one
};

// out = T value at one stage; q is scratch, one a row of the stage.
void soft_bellman(const ModelView& m, std::int64_t stage, double discount, const Regularizer& soft,
                  const double* value, double* out, double* q);

// Starts from `value` and leaves its last, centred one in it.
Iterations soft_value_iteration(const ModelView& m, double discount, const Regularizer& soft,
                                Target target, double* value, const Monitor& monitor);

// Bounds of T w - w: `high` at least every residual, `low` at most every residual of the policy
// written to `policy`. data_error is the relative error of the model's numbers (0 where the
// doubles are what is meant). residual[s] receives T w - w in doubles; policy and log_policy, one
// a row of the stage, the soft greedy law.
ResidualBounds soft_residuals(const ModelView& m, std::int64_t stage, double discount,
                              const Regularizer& soft, WitnessView next, WitnessView own,
                              double data_error, double* residual, double* policy,
                              double* log_policy);

}  // namespace rlt
