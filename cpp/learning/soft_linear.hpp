// Certified exploration of a linear model, regularised by the divergence from a reference policy
// (LSVI-UCB-Ent: Tiapkin et al., ICLR 2024).
//
// Features phi(s, a) and rewards r_h(s, a) in [0, 1] are known, M_h and C_h are the sums of
// feature_sums.hpp. Backward from 0 with c_h = H - 1 - h, the most that is still to come,
//
//     U_h = r_h + clip(phi^T M_h^-1 sum C_h[s'] U'(s') + radius_h |phi|_{M_h^-1}, 0, c_h),
//     L_h = r_h + clip(phi^T M_h^-1 sum C_h[s'] L'(s') - radius_h |phi|_{M_h^-1}, 0, c_h),
//
// U', L' the soft maxima of U_{h+1}, L_{h+1} under reference and temperature, pi_h the soft greedy
// law of U_h, D_h(s) = max_a (U_h - L_h) over allowed actions, 0 where one alone is allowed, and
//
//     X_h(s) = min{D_h, D_h^2 / (8 temperature)}:
//
// where the intervals hold, the loss of pi is at most the mean of sum_h X_h(s_h) over its episodes,
// which `roll_out` plays. `explore_linear` plays pi but for one of H + 1 equally likely choices an
// episode: a stage, at which the action of widest interval is taken, or none. A plan costs O(H (S A
// d^2 + S d)), a step O(d^2 + A).
#pragma once

#include <cstdint>
#include <vector>

#include "learning/explore.hpp"
#include "learning/feature_sums.hpp"

namespace rlt {

// Arrays (H, S, A), and (H,) for the radii.
struct SoftLinearProblem {
    std::vector<double> reward, weight, log_weight, radii;
    double temperature;
};

class SoftLinearLearner {
public:
    SoftLinearLearner(LinearSizes sizes, std::vector<double> features, double ridge,
                      SoftLinearProblem problem);

    void plan();
    // next = -1 where the episode ended.
    void observe(std::int64_t stage, std::int64_t state, std::int64_t action, std::int64_t next) {
        sums_.observe(stage, state, action, next);
    }
    std::int64_t act(std::int64_t stage, std::int64_t state, double uniform, bool explores) const;
    double excess(std::int64_t stage, std::int64_t state) const {
        return excess_[static_cast<std::size_t>(stage * sizes().states + state)];
    }
    bool allowed(std::int64_t stage, std::int64_t state, std::int64_t action) const;

    const LinearSizes& sizes() const { return sums_.sizes(); }
    const FeatureSums& sums() const { return sums_; }
    std::int64_t plans() const { return plans_; }
    const std::vector<double>& policy() const { return policy_; }        // (H, S, A)
    const std::vector<double>& excess() const { return excess_; }        // (H, S)
    const std::vector<std::int64_t>& widest() const { return widest_; }  // (H, S)

    // What is planned twice: upward and downward.
    struct Side {
        std::vector<double> weights, q, value;  // (H, d), (H, S, A), (H+1, S)
    };
    Side upper, lower;

private:
    void back_up(std::int64_t stage, double sign, Side& side);
    void improve(std::int64_t stage);

    FeatureSums sums_;
    SoftLinearProblem problem_;
    std::vector<double> policy_, excess_;
    std::vector<std::int64_t> widest_;
    std::int64_t plans_ = 0;
};

// Plays so many episodes and learns from them; returns the number of steps. Episode k of these
// takes word `first` + k of the stream of stages, and its step h word (first + k) H + h of that of
// actions; words of the world are as in episodes.hpp.
std::int64_t explore_linear(const World& world, const ExplorationWords& words,
                            const Monitor& monitor, SoftLinearLearner& learner, std::int64_t first,
                            std::int64_t episodes);

struct RollOut {
    double total;  // of sum_h X_h(s_h), over episodes of the policy
    std::int64_t steps;
};

// The same without exploring stages; nothing is learned.
RollOut roll_out(const World& world, const ExplorationWords& words, const Monitor& monitor,
                 const SoftLinearLearner& learner, std::int64_t first, std::int64_t episodes);

}  // namespace rlt
