// The residual of one row in double-double, with its proven error bound (theorem T2 of
// docs/theory/certificates.md).
#pragma once

#include <cmath>
#include <cstdint>

#include "model/view.hpp"
#include "solvers/certificates.hpp"
#include "solvers/row_sums.hpp"
#include "support/double_double.hpp"

namespace rlt {

template <class Rows>
inline bool all_zero(const Rows& rows, std::int64_t row, const double* next) {
    bool zero = true;
    rows.each(row, [&](std::int32_t j, double) { zero = zero && next[j] == 0.0; });
    return zero;
}

// relative + terms * unit, for a unit near the least number there is. Multiplying by one is slow,
// and beside a relative error that is not tiny itself the product is lost in rounding anyway.
inline double with_underflow(double relative, double terms, double unit) {
    return relative < 0x1.0p-900 ? relative + terms * unit : relative;
}

struct PreciseResidual {
    DoubleDouble scaled;  // residual times the row's sum
    double error;         // of `scaled`
    double plain;         // the residual itself, in a double

    bool finite() const { return std::isfinite(scaled.high) && std::isfinite(error); }
    double low() const { return scaled.high - (error - scaled.low); }
    double high() const { return scaled.high + (error + scaled.low); }
};

// Whether a row is better than the present one by more than both error bounds and the rounding of
// their difference: then an exact comparison would choose it too, and no tie is left for another.
template <class Residual>
bool surely_better(const Residual& best, const Residual& present) {
    const double margin = 1.0000001 * (best.error + present.error) +
                          0x1.0p-51 * (std::abs(best.plain) + std::abs(present.plain));
    return best.plain - present.plain > margin;
}

// T2: |scaled - sigma (T_a w - w_s)| <= error.
template <class Rows>
inline PreciseResidual precise_residual(const ModelView& m, const Rows& rows, std::int64_t row,
                                        double discount, WitnessView next, double own_head,
                                        double own_tail) {
    const double r = m.reward[row];
    const RowSum s = sum_row(rows, row, next);
    if (s.magnitude == 0.0 && r == 0.0 && own_head == 0.0 && own_tail == 0.0 &&
        all_zero(rows, row, next.head))
        return {{}, 0.0, 0.0};
    DoubleDouble y = two_sum(r, -own_head) + (-own_tail);
    y = y + y * s.delta;
    const DoubleDouble scaled = y + discount * s.dot;
    const double terms = static_cast<double>(rows.terms(row));
    const double size = std::abs(r) + discount * s.magnitude + std::abs(own_head);
    const double error =
        with_underflow((4.0 * terms + 40.0) * 0x1.0p-106 * size, terms + 8.0, 0x1.0p-1070);
    // The factor pays for forming low +- error in one double.
    return {scaled, error * (1.0 + 0x1.0p-50), scaled.high / (1.0 + s.delta.high) + scaled.low};
}

}  // namespace rlt
