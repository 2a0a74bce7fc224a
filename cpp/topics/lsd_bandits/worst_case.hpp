// Many small LSD bandits of one shape, with k = 1: exact optimum, relaxation and one policy each.
//
// For the search of worst ratios (A13): the joint states, which the shape alone determines, are
// laid out once, and an instance is a row of whole-number payoffs over a denominator that no ratio
// depends on. Within an arm payoffs are in the order of states -M, ..., -1, 1, ..., R.
//
// Whole numbers are 64 bits wide. With payoffs of at most P, n + m of at most L and V joint states,
// potentials stay below V^2 P, slopes below P L^2, the sums of the relaxation below
// (N + 2) P L^(2N + 4); the constructor refuses a shape where one of them could reach 2^62.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "topics/lsd_bandits/small_optimum.hpp"

namespace rlt::lsd {

enum class Policy : std::int32_t { none, interleaved, real_ranking, derandomised, greedy };

// What is found for one instance; `policy` is the long-run average, rounded.
struct Judged {
    Ratio optimum;
    Ratio relaxation;
    double policy = 0.0;
};

class WorstCase {
public:
    // rests[i] and plays[i] are R_i and M_i. Throws std::invalid_argument.
    WorstCase(std::span<const std::int32_t> rests, std::span<const std::int32_t> plays,
              std::int64_t largest_payoff);

    std::int64_t width() const { return first_.back(); }
    std::int64_t states() const { return states_; }

    // payoffs holds one row of width() numbers in 0..largest_payoff an instance.
    void judge(std::span<const std::int64_t> payoffs, Policy policy, std::span<Judged> out) const;

private:
    friend class Judge;

    std::int64_t n_;
    std::vector<std::int32_t> rests_, plays_;
    std::vector<std::int64_t> first_;
    std::int64_t states_ = 0;              // those reached from the rested one, which is state 0
    std::vector<std::int32_t> successor_;  // states x (N + 1): idle, then each arm
    std::vector<std::int32_t> paid_;       // states x (N + 1): index into a row of payoffs, or -1
};

}  // namespace rlt::lsd
