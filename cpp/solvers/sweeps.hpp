// Bellman backups and the methods that repeat them: value iteration (Jacobi and Gauss-Seidel),
// stopped by the MacQueen bracket, and backward induction.
//
// With delta = T v - v, m = min delta, M = max delta (m <= 0 <= M where rows may end, since a
// constant is then not passed on whole), the optimum lies in
//     T v + discount m / (1 - discount)  ..  T v + discount M / (1 - discount),
// so what is left to know is at most discount (M - m) / (1 - discount).
#pragma once

#include <cstdint>

#include "model/view.hpp"
#include "support/monitor.hpp"

namespace rlt {

// Wanted width of the bracket: max(absolute, relative * max|value|).
struct Target {
    double absolute = 0.0;
    double relative = 0.0;
};

struct Iterations {
    std::int64_t sweeps = 0;
    bool converged = false;
};

// out = T value at one stage; best_row, if given, is the lowest row that attains it.
void bellman(const ModelView& m, std::int64_t stage, double discount, const double* value,
             double* out, std::int64_t* best_row);

// q[row - first row of the stage] = r + discount P value.
void q_values(const ModelView& m, std::int64_t stage, double discount, const double* value,
              double* q);

// These start from `value` and leave their last, centred one in it.
Iterations value_iteration(const ModelView& m, double discount, Target target, double* value,
                           const Monitor& monitor);
Iterations gauss_seidel(const ModelView& m, double discount, Target target, double* value,
                        const Monitor& monitor);

// Rows to switch to: the best one where it beats the present one by more than rounding could
// explain, else the present one. Returns how many states switch.
std::int64_t improve(const ModelView& m, double discount, const double* value,
                     const std::int64_t* rows, std::int64_t* improved);

// value (H+1, S), rows (H, S).
// Also error (H): bounds of what rounding makes of T value[h+1] - value[h], every row counted.
void backward_induction(const ModelView& m, std::int64_t horizon, double* value, std::int64_t* rows,
                        double* error, const Monitor& monitor);

// value (H+1, S) of the policy whose probabilities are `weight`: one a row of a stage-dependent
// model; on a stationary one (H, rows) with weight_stride = rows, or (rows) with stride 0.
void policy_backward(const ModelView& m, std::int64_t horizon, const double* weight,
                     std::int64_t weight_stride, double* value, const Monitor& monitor);

// occupancy (H, rows of a stage) of state-action pairs from the start law.
void policy_forward(const ModelView& m, std::int64_t horizon, const double* weight,
                    std::int64_t weight_stride, const double* initial, double* occupancy,
                    const Monitor& monitor);

}  // namespace rlt
