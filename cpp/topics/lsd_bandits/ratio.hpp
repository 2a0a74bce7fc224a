// Fractions of 64-bit whole numbers; who uses them has excluded overflow.
#pragma once

#include <cstdint>
#include <numeric>

namespace rlt::lsd {

struct Ratio {
    std::int64_t numerator = 0;
    std::int64_t denominator = 1;
};

inline Ratio reduced(std::int64_t numerator, std::int64_t denominator) {
    const std::int64_t common = std::gcd(numerator, denominator);
    return {numerator / common, denominator / common};
}

inline bool less(const Ratio& x, const Ratio& y) {
    return x.numerator * y.denominator < y.numerator * x.denominator;
}

}  // namespace rlt::lsd
