// Optimistic least-squares value iteration (LSVI-UCB, Jin, Yang, Wang and Jordan, COLT 2020).
//
// Features phi(s, a) in R^d are known. With the sums M_h and C_h of feature_sums.hpp and rho_h =
// sum r phi over the steps seen at stage h, planning goes backward from V_H = 0 with
//
//     w_h = M_h^-1 (rho_h + sum_s' V_{h+1}(s') C_h[s']),
//     Q_h = clip(phi^T w_h + radius_h |phi|_{M_h^-1}, 0, cap_h),   V_h = max_a Q_h,
//
// which costs O(H (S A d + S d + d^2)). The squares of the norms of all pairs are lowered with each
// step, and computed anew every `fresh_norms` updates, which keeps their error at some 10^-11 of
// themselves. With a switching ratio the plan is only made anew when some det M_h has grown by that
// factor since the last one (Abbasi-Yadkori, Pal and Szepesvari, NeurIPS 2011), and so are they.
#pragma once

#include <cstdint>
#include <vector>

#include "learning/episodes.hpp"
#include "learning/feature_sums.hpp"

namespace rlt {

class LinearLearner {
public:
    // `features` (S, A, d), `radii` (H,), `caps` (H,). With log_switch < 0 every plan is made anew.
    LinearLearner(LinearSizes sizes, std::vector<double> features, double ridge,
                  std::vector<double> radii, std::vector<double> caps, double log_switch);

    // Plans if it is due; says whether it was.
    bool plan();
    // next = -1 where the episode ended. Throws where the reward is not in [0, 1], to 1e-9.
    void observe(std::int64_t stage, std::int64_t state, std::int64_t action, double reward,
                 std::int64_t next);

    const LinearSizes& sizes() const { return sums_.sizes(); }
    std::int64_t plans() const { return plans_; }
    const Gram& gram(std::int64_t stage) const { return sums_.gram(stage); }
    const std::vector<double>& weights() const { return weights_; }       // (H, d)
    const std::vector<double>& q() const { return q_; }                   // (H, S, A)
    const std::vector<double>& norms2() const { return sums_.norms2(); }  // (H, S, A)
    const std::uint16_t* policy() const { return policy_.data(); }        // (H, S)
    const double* value(std::int64_t stage) const { return value_.data() + stage * sizes().states; }

private:
    bool is_due() const;

    FeatureSums sums_;
    std::vector<double> radii_, caps_;
    double log_switch_;
    std::vector<double> reward_sums_, weights_, q_, value_;
    std::vector<double> planned_log_det_;
    std::vector<std::uint16_t> policy_;
    std::int64_t plans_ = 0;
};

// `play` with this learner; throws where the model lacks an action.
std::int64_t play_linear(const World& world, LinearLearner& learner, const Words& words,
                         std::int64_t episodes, PlayedPolicies& played, double* returns,
                         const Trace& trace, const Monitor& monitor);

}  // namespace rlt
