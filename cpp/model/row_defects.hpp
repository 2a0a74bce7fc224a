// By how much rows and their exits sum to more than 1: delta = sum p + exit - 1.
//
// h = fl(fl(1/2 + p) - 1/2) and t = p - h split 0 <= p <= 3/2 without an error: h is a multiple of
// u = 2^-53, and |t| at most u/2, or u where p is above 1/2. The h of a row that sums to about 1
// add up to a number of 53 bits, so sums of them are exact in any order, and several may run side
// by side; each begins at its share of -1, which keeps it in [-1, 1]. Only sums of t are rounded:
// the delta computed is within u|delta| + n^2 u^2 (docs/theory/certificates.md, T1). A row that is
// refused may have less exact sums, but is off by more than any of their errors.
#pragma once

#include <cstdint>

#include "support/inlined.hpp"

namespace rlt {

// The sum of one row, entry by entry, from -1 or from what was summed before.
class DefectSum {
public:
    explicit DefectSum(double high = -1.0, double low = 0.0) : high_(high), low_(low) {}
    RLT_INLINED void add(double p) {
        const double h = (0.5 + p) - 0.5;
        high_ += h;
        low_ += p - h;
    }
    double value() const { return high_ + low_; }

private:
    double high_;
    double low_;
};

struct DenseRowSeen {
    double delta;
    std::int64_t zeros;
    bool signs;  // some entry has a minus sign
};

DenseRowSeen dense_row_defect(const double* prob, std::int64_t n, double exit);

}  // namespace rlt
