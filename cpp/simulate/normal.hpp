// The quantile of the standard normal law, relative error about 1e-16: Wichura's PPND16 (Applied
// Statistics 37, 1988, algorithm AS 241).
#pragma once

namespace rlt {

double normal_quantile(double p);  // 0 < p < 1

}  // namespace rlt
