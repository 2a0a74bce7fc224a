// Bellman residuals with proven error bounds, in doubles and in double-double, and the
// outward rounding of a witness. The bounds are theorems T1 and T2 of
// docs/theory/certificates.md; nothing computed here is trusted by the checker.
#pragma once

#include <cstdint>
#include <vector>

#include "model/view.hpp"

namespace rlt {

// Terms of a row up to which T1 is proved.
inline constexpr std::int64_t longest_bounded_row = std::int64_t{1} << 26;

// Outer bounds of residuals T w - w: `low` is at most every residual on the policy's rows,
// `high` at least every residual on all rows. In double-double they bound the residual times
// the row's sum.
struct ResidualBounds {
    double low = 0.0;
    double high = 0.0;
    bool finite = true;  // every residual and its error bound was finite
};

// Bounds over all blocks, a step outward: those of a block are differences rounded once.
ResidualBounds joined(const std::vector<ResidualBounds>& parts);

// Values as head + tail; a null tail means zeros.
struct WitnessView {
    const double* head = nullptr;
    const double* tail = nullptr;
};

// w = own (value at this stage), next = value it looks ahead to (the same array when
// discounted); rows = the policy.
ResidualBounds residuals(const ModelView& m, std::int64_t stage, double discount,
                         const double* next, const double* own, const std::int64_t* rows);

// As above in double-double. If given, residual[s] receives the residual of the policy's row
// and better[s] a row that is better than it beyond both error bounds (else the policy's row).
ResidualBounds residuals(const ModelView& m, std::int64_t stage, double discount, WitnessView next,
                         WitnessView own, const std::int64_t* rows, double* residual,
                         std::int64_t* better);

// One stage of backward induction in double-double: head + tail = max over rows, the rows
// that attain it (lowest first).
void backup_double_double(const ModelView& m, std::int64_t stage, WitnessView next, double* head,
                          double* tail, std::int64_t* rows);

// head + tail += correction, kept normalised.
void add_correction(std::int64_t n, double* head, double* tail, const double* correction);

// max (upper - lower), rounded up; infinite where a bound is not finite.
double largest_gap(std::int64_t n, const double* lower, const double* upper);

// lower = head + tail + lower_shift rounded down, upper likewise rounded up.
void round_outward(std::int64_t n, WitnessView witness, double lower_shift, double upper_shift,
                   double* lower, double* upper);

// The same with shifts of each state's own.
void round_outward(std::int64_t n, WitnessView witness, const double* lower_shift,
                   const double* upper_shift, double* lower, double* upper);

}  // namespace rlt
