// Garnet models (Archibald, McKinnon and Thomas 1995): each pair leads to `branching`
// different states drawn at random, with probabilities cut at uniform points; rewards are
// uniform on [0, 1).
#pragma once

#include <cstdint>

#include "support/philox.hpp"

namespace rlt {

struct GarnetSize {
    std::int64_t rows;
    std::int64_t n_states;
    std::int64_t branching;
};

// col and prob have rows * branching entries, reward has `rows`. Columns ascend in each row.
void garnet(GarnetSize size, Philox& random, std::int32_t* col, double* prob, double* reward);

}  // namespace rlt
