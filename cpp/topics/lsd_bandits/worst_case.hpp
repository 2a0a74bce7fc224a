// Many small LSD bandits of one shape, with k = 1: exact optimum, relaxation and one policy each.
//
// For the search of worst ratios (A13).
#pragma once

#include "topics/lsd_bandits/ratio.hpp"
#include "topics/lsd_bandits/small_bandits.hpp"

namespace rlt::lsd {

enum class Policy : std::int32_t { none, interleaved, real_ranking, derandomised, greedy };

// What is found for one instance; `policy` is the long-run average, rounded.
struct Judged {
    Ratio optimum;
    Ratio relaxation;
    double policy = 0.0;
};

// payoffs holds one row of shape.width() numbers in 0..largest_payoff an instance.
void judge(const SmallBandits& shape, std::span<const std::int64_t> payoffs, Policy policy,
           std::span<Judged> out);

}  // namespace rlt::lsd
