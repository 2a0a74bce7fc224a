// Planning against an adversary that chooses each row anew ((s, a)-rectangular ambiguity):
//     (T v)(s) = max_a r(s, a) + discount min_{p in U(s, a)} sum_s' p(s') v(s'),
// or with a maximum over p where it helps. T is monotone and passes constants on as the ordinary
// operator does, so the MacQueen bracket and the bounds by residuals hold for it.
// Iyengar, Math. OR 2005; Kaufman and Schaefer, INFORMS J. Computing 2013 (modified policy
// iteration).
#pragma once

#include <cstdint>
#include <vector>

#include "model/view.hpp"
#include "solvers/ambiguity.hpp"
#include "solvers/certificates.hpp"
#include "solvers/sweeps.hpp"
#include "support/monitor.hpp"

namespace rlt {

// out = T value at one stage; best_row, if given, is the lowest row that attains it.
void robust_bellman(const ModelView& m, std::int64_t stage, double discount,
                    const Ambiguity& ambiguity, double sign, const double* value, double* out,
                    std::int64_t* best_row);

// These start from `value` and leave their last, centred one in it.
Iterations robust_value_iteration(const ModelView& m, double discount, const Ambiguity& ambiguity,
                                  double sign, Target target, double* value,
                                  const Monitor& monitor);
Iterations robust_modified_policy_iteration(const ModelView& m, double discount,
                                            const Ambiguity& ambiguity, double sign, Target target,
                                            std::int64_t max_improvements, double* value,
                                            const Monitor& monitor);

// As `residuals` in double-double (certificates.hpp), of the robust operator. data_error is the
// relative error of the model's numbers.
ResidualBounds robust_residuals(const ModelView& m, std::int64_t stage, double discount,
                                const Ambiguity& ambiguity, double sign, WitnessView next,
                                WitnessView own, double data_error, const std::int64_t* rows,
                                double* residual, std::int64_t* better);

// The adversary's laws, each divided by the row's sum.
struct Laws {
    std::vector<std::int64_t> row_ptr;
    std::vector<std::int32_t> col;
    std::vector<double> prob;
    std::vector<double> exit;
};
Laws worst_laws(const ModelView& m, std::int64_t stage, const Ambiguity& ambiguity, double sign,
                WitnessView next, const std::int64_t* rows, std::int64_t count);

}  // namespace rlt
