// Average reward: relative value iteration, policy improvement by gain and bias, and the
// residuals of a witness made of gains g and biases h.
//
// A row is internal when all its successors have the state's own gain, as the same two doubles;
// it then has to satisfy an inequality between g + h and r + P h (theorem C3 of
// docs/theory/average.md). Any other row has to move the gain strictly, and nothing else.
#pragma once

#include <cstdint>

#include "model/view.hpp"
#include "solvers/certificates.hpp"
#include "solvers/sweeps.hpp"
#include "support/monitor.hpp"

namespace rlt {

struct RelativeIterations {
    std::int64_t sweeps = 0;
    bool converged = false;
    double low = 0.0;  // extremes of the last residual T v - v
    double high = 0.0;
};

// v <- v + (1 - stay) (T v - v - c), c a constant per sweep: value iteration on the model in which
// every row stays with probability `stay` more, which makes all chains aperiodic. Starts from
// `value`, leaves the last one in it; stops when high - low is within the target, or is rounding,
// or after `most` sweeps.
RelativeIterations relative_value_iteration(const ModelView& m, double stay, Target target,
                                            std::int64_t most, double* value,
                                            const Monitor& monitor);

// Howard's improvement of a policy with this gain and bias: rows of more gain ahead where there is
// one somewhere, else, among the rows that keep the gain, those of more reward and bias; the
// present row on ties. Returns how many states switch.
std::int64_t improve_gain_bias(const ModelView& m, const double* gain, const double* bias,
                               const std::int64_t* rows, std::int64_t* improved);

// The same where one gain is everyone's, state after state with the biases raised so far, forwards
// and backwards: what is learnt at one end of a chain reaches the other in a sweep. `bias` and
// `rows` receive what is reached after the sweeps; returns how many switches there were.
std::int64_t improve_in_order(const ModelView& m, double gain, std::int64_t sweeps, double* bias,
                              std::int64_t* rows, const Monitor& monitor);

// Outer bounds of sigma (r - g + P h - h) in double-double: `low` over the policy's internal rows,
// `high` over all internal rows. If given, residual[s] receives that of the policy's row, divided
// by sigma, and better[s] an internal row that is better beyond both error bounds.
ResidualBounds gain_bias_residuals(const ModelView& m, WitnessView gain, WitnessView bias,
                                   const std::int64_t* rows, double* residual,
                                   std::int64_t* better);

// By how much the gain must be curved: with D = sum p (g_j - g_s), known up to an error E, and
// V = scale sum p (g_j - g_s)^2, `lower` is the maximum of (E - D) / V over the policy's rows that
// are not internal and where D > 0 is not certain, `upper` that of (E + D) / V over all such rows
// where D < 0 is not certain; 0 where all are, infinity where a quotient is beyond doubles. `scale`
// is a power of two that makes the gains no longer than about 1, whose squares doubles hold.
// drift[s] receives D / sigma of the policy's row.
struct GainDrift {
    double lower = 0.0;
    double upper = 0.0;
};
GainDrift gain_drift(const ModelView& m, WitnessView gain, double scale, const std::int64_t* rows,
                     double* drift);

// out = gain + curvature scale (gain - centre)^2, entry by entry: equal entries stay equal.
void curve_gain(std::int64_t n, WitnessView gain, double scale, double centre_head,
                double centre_tail, double curvature, double* head, double* tail);

}  // namespace rlt
