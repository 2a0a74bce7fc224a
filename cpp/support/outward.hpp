// The exact sum a + b + c of three doubles, rounded down or up.
//
// The sum is turned into a non-overlapping expansion (Shewchuk 1997, Theorem 10), whose sign
// is that of its largest non-zero component; a candidate is stepped outward until the exact
// remainder has the right sign.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "support/double_double.hpp"

namespace rlt {

// Sign (-1, 0, 1) of the exact sum of the terms.
template <std::size_t N>
int sign_of_sum(const std::array<double, N>& terms) {
    std::array<double, N> expansion{};
    std::size_t length = 0;
    for (double carry : terms) {
        for (std::size_t i = 0; i < length; ++i) {
            const DoubleDouble s = two_sum(carry, expansion[i]);
            expansion[i] = s.low;
            carry = s.high;
        }
        expansion[length++] = carry;
    }
    for (std::size_t i = length; i-- > 0;)
        if (expansion[i] != 0.0) return expansion[i] > 0.0 ? 1 : -1;
    return 0;
}

// The double next to a finite x on the side of -infinity.
inline double next_below(double x) {
    if (x == 0.0) return -std::numeric_limits<double>::denorm_min();
    const auto bits = std::bit_cast<std::int64_t>(x);
    return std::bit_cast<double>(x > 0.0 ? bits - 1 : bits + 1);
}

inline double sum_rounded_down(double a, double b, double c) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (b == 0.0) {
        const DoubleDouble s = two_sum(a, c);
        if (!std::isfinite(s.high)) return -infinity;
        return s.low < 0.0 ? next_below(s.high) : s.high;
    }
    double x = (DoubleDouble{a, 0.0} + b + c).high;
    if (!std::isfinite(x)) return -infinity;  // also where only a partial sum overflows
    while (sign_of_sum<4>({a, b, c, -x}) < 0) x = next_below(x);
    return x;
}

inline double sum_rounded_up(double a, double b, double c) { return -sum_rounded_down(-a, -b, -c); }

}  // namespace rlt
