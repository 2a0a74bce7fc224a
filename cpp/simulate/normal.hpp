// The quantile of the standard normal law, relative error about 1e-16: Wichura's PPND16 (Applied
// Statistics 37, 1988, algorithm AS 241).
#pragma once

namespace rlt {

double normal_quantile(double p);  // 0 < p < 1

// The quantile at u + 2^-54, the middle of the cell of u, a multiple of 2^-53 in [0, 1). Above 1/2
// it is taken from the other end, where that middle is a double: 1 - 2^-54 is none.
inline double standard_normal(double u) {
    return u < 0.5 ? normal_quantile(u + 0x1.0p-54) : -normal_quantile((1.0 - u) - 0x1.0p-54);
}

}  // namespace rlt
