// Unevaluated sums of two doubles, and the error-free transformations beneath them.
//
// Only +, - and * on doubles: no fused multiply-add, so the bits are the same on every
// processor. TwoProd splits its factors and therefore overflows above about 1.3e300; the
// result is then not finite and the callers refuse it.
// Accuracy: a sum is within 3u^2 relative (also under cancellation), a product within 5u^2.
#pragma once

namespace rlt {

struct DoubleDouble {
    double high = 0.0;
    double low = 0.0;
};

// s + e == a + b exactly.
inline DoubleDouble two_sum(double a, double b) {
    const double s = a + b;
    const double t = s - a;
    return {s, (a - (s - t)) + (b - t)};
}

// As two_sum, for |a| >= |b|.
inline DoubleDouble fast_two_sum(double a, double b) {
    const double s = a + b;
    return {s, b - (s - a)};
}

// p + e == a * b exactly, barring overflow and underflow.
inline DoubleDouble two_prod(double a, double b) {
    constexpr double splitter = 134217729.0;  // 2^27 + 1
    const double p = a * b;
    const double ca = splitter * a, cb = splitter * b;
    const double ah = ca - (ca - a), al = a - ah;
    const double bh = cb - (cb - b), bl = b - bh;
    return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

// The accurate addition: its relative error bound survives cancellation.
inline DoubleDouble operator+(DoubleDouble a, DoubleDouble b) {
    DoubleDouble s = two_sum(a.high, b.high);
    const DoubleDouble t = two_sum(a.low, b.low);
    s = fast_two_sum(s.high, s.low + t.high);
    return fast_two_sum(s.high, s.low + t.low);
}

inline DoubleDouble operator+(DoubleDouble a, double b) {
    const DoubleDouble s = two_sum(a.high, b);
    return fast_two_sum(s.high, s.low + a.low);
}

inline DoubleDouble operator*(DoubleDouble a, DoubleDouble b) {
    DoubleDouble p = two_prod(a.high, b.high);
    p.low += a.high * b.low + a.low * b.high;
    return fast_two_sum(p.high, p.low);
}

inline DoubleDouble operator*(double a, DoubleDouble b) {
    DoubleDouble p = two_prod(a, b.high);
    p.low += a * b.low;
    return fast_two_sum(p.high, p.low);
}

}  // namespace rlt
