// The bonus as the caller computed it: tables over counts n = 0, 1, .. and a vector over stages.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace rlt {

struct Bonus {
    std::vector<double> scale;        // H entries
    std::vector<double> table;        // b = scale_h table(n)
    std::vector<double> root, floor;  // see bernstein.hpp; empty where only `table` is used

    std::int64_t most_visits() const { return static_cast<std::int64_t>(table.size()) - 1; }
};

using SharedBonus = std::shared_ptr<const Bonus>;

}  // namespace rlt
