// The shape of small LSD bandits with k = 1: joint states, laid out once for many rows of payoffs.
//
// An instance is a row of whole-number payoffs over a denominator that no ratio depends on. Within
// an arm payoffs are in the order of states -M, ..., -1, 1, ..., R.
//
// Whole numbers are 64 bits wide. With payoffs of at most P, n + m of at most L and V joint states,
// potentials stay below V^2 P, slopes below P L^2, the sums of the relaxation below
// (N + 2) P L^(2N + 4); the constructor refuses a shape where one of them could reach 2^62.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace rlt::lsd {

class SmallBandits {
public:
    // rests[i] and plays[i] are R_i and M_i. Throws std::invalid_argument.
    SmallBandits(std::span<const std::int32_t> rests, std::span<const std::int32_t> plays,
                 std::int64_t largest_payoff);

    std::int64_t arms() const { return n_; }
    std::int64_t rests(std::int64_t arm) const { return rests_[arm]; }
    std::int64_t plays(std::int64_t arm) const { return plays_[arm]; }
    std::int64_t size(std::int64_t arm) const { return rests_[arm] + plays_[arm]; }

    // Of the arm's states in a row of payoffs, and one after its last.
    std::int64_t first(std::int64_t arm) const { return first_[arm]; }
    std::int64_t end(std::int64_t arm) const { return first_[arm + 1]; }
    std::int64_t width() const { return first_.back(); }

    // Where the arm goes from its s-th state. The other kernels read moves from tables (arms.hpp),
    // as their arms need not be reset by switches.
    std::int64_t played(std::int64_t arm, std::int64_t s) const {
        return s < plays(arm) ? std::max<std::int64_t>(0, s - 1) : plays(arm) - 1;
    }
    std::int64_t rested(std::int64_t arm, std::int64_t s) const {
        return s < plays(arm) ? plays(arm) : std::min(size(arm) - 1, s + 1);
    }

    // Joint states that are reached from the rested one, which is state 0. Action 0 is to idle.
    std::int64_t states() const { return states_; }
    std::int64_t actions() const { return n_ + 1; }
    std::int32_t next(std::int64_t v, std::int64_t a) const { return next_[v * (n_ + 1) + a]; }
    std::int64_t reward(const std::int64_t* pay, std::int64_t v, std::int64_t a) const {
        const std::int32_t at = paid_[v * (n_ + 1) + a];
        return at < 0 ? 0 : pay[at];
    }

private:
    void lay_out(std::int64_t joint_states);

    std::int64_t n_;
    std::vector<std::int32_t> rests_, plays_;
    std::vector<std::int64_t> first_;
    std::int64_t states_ = 0;
    std::vector<std::int32_t> next_;  // states x (N + 1)
    std::vector<std::int32_t> paid_;  // states x (N + 1): index into a row of payoffs, or -1
};

}  // namespace rlt::lsd
