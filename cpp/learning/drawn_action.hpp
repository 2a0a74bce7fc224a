// The action of a law over actions that a uniform number chooses.
#pragma once

#include <cstdint>

namespace rlt {

// The first one at which the sum of the chances exceeds the number; the last possible one where
// rounding leaves the sum below it.
inline std::int64_t drawn_action(const double* law, std::int64_t actions, double uniform) {
    std::int64_t last = 0;
    double sum = 0.0;
    for (std::int64_t a = 0; a < actions; ++a) {
        if (!(law[a] > 0.0)) continue;
        sum += law[a];
        last = a;
        if (uniform < sum) break;
    }
    return last;
}

}  // namespace rlt
