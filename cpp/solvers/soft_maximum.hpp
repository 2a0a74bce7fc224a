// tau log sum_a rho_a exp(x_a / tau), the maximum of sum_a p_a x_a - tau KL(p, rho), in doubles.
//
// Two forms. Where the x_a lie within tau/2 of each other, with top = max x,
//     top + tau log1p(sum_a rho_a expm1((x_a - top) / tau)),
// which does not lose the x_a beside a large tau. Elsewhere, with b maximising x + tau log rho,
//     x_b + tau (log rho_b + log sum_a exp((x_a - x_b) / tau + log rho_a - log rho_b)),
// which does not overflow under a small one.
//
// Error bounds assume that exp, expm1, log and log1p are within 4 ulps. They are theorem T3 of
// docs/theory/regularized.md.
#pragma once

#include <cstdint>

namespace rlt {

// The law rho of one state's actions: weight and log_weight within a factor, and a difference, of
//     (n + 24) u + 8 u |log rho_a|
// of the exact ones, beside underflow; log rho_a = -inf forbids an action.
struct ReferenceLaw {
    const double* weight;
    const double* log_weight;
    std::int64_t n;
};

double soft_maximum(const double* x, ReferenceLaw rho, double temperature);

// The same number, and the law p_a in `law`, divided by its own sum.
double soft_law(const double* x, ReferenceLaw rho, double temperature, double* law);

struct BoundedSoftMaximum {
    double value;
    double error;    // |value - exact| <= error; infinite where no bound is known
    double log_sum;  // log p_a = (x_a - pivot)/tau + (log rho_a - shift) - log_sum
    double sum_error;
    std::int64_t pivot;
    bool flat;  // the first form was used
};
BoundedSoftMaximum bounded_soft_maximum(const double* x, ReferenceLaw rho, double temperature);

// The law p_a = rho_a exp(x_a / tau) / sum, its logarithms, and a bound of KL(p computed, p exact)
// when the exact x_a are within x_error[a], and the exact soft maximum within value_error.
double soft_greedy(const double* x, const double* x_error, double value_error, ReferenceLaw rho,
                   double temperature, const BoundedSoftMaximum& maximum, double* policy,
                   double* log_policy);

}  // namespace rlt
