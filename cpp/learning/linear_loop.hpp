// Optimistic least-squares value iteration (LSVI-UCB, Jin, Yang, Wang and Jordan, COLT 2020).
//
// Features phi(s, a) in R^d are known. For every stage h, of the steps (s, a, r, s') seen there,
//
//     M_h = ridge I + sum phi phi^T,   rho_h = sum r phi,   C_h[s'] = sum of phi over steps to s',
//
// and planning goes backward from V_H = 0 with
//
//     w_h = M_h^-1 (rho_h + sum_s' V_{h+1}(s') C_h[s']),
//     Q_h = clip(phi^T w_h + radius_h |phi|_{M_h^-1}, 0, cap_h),   V_h = max_a Q_h,
//
// where a step that ended the episode adds nothing to C_h. Sums by successor make a plan cost
// O(H (S A d + S d + d^2)), however many episodes were seen. Features are kept by coordinate as
// well, so that products with all pairs run along neighbouring pairs. The squares of the norms
// |phi| of all pairs are updated with M_h: with g = M^-1 x and u = x^T g they fall by (phi^T g)^2 /
// (1 + u). They are computed anew every `fresh_norms` updates, which keeps their error at some
// 10^-11 of themselves. With a switching ratio the plan is only made anew when some det M_h has
// grown by that factor since the last one (Abbasi-Yadkori, Pal and Szepesvari, NeurIPS 2011), and
// so are they.
#pragma once

#include <cstdint>
#include <vector>

#include "learning/episodes.hpp"
#include "support/small_dense.hpp"

namespace rlt {

struct LinearSizes {
    std::int64_t stages, states, actions, dimension;
};

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

    const LinearSizes& sizes() const { return n_; }
    std::int64_t plans() const { return plans_; }
    const Gram& gram(std::int64_t stage) const { return grams_[static_cast<std::size_t>(stage)]; }
    const std::vector<double>& weights() const { return weights_; }  // (H, d)
    const std::vector<double>& q() const { return q_; }              // (H, S, A)
    const std::vector<double>& norms2() const { return norms2_; }    // (H, S, A)
    const std::uint16_t* policy() const { return policy_.data(); }   // (H, S)
    const double* value(std::int64_t stage) const { return value_.data() + stage * n_.states; }

private:
    bool is_due() const;
    void refresh_norms(std::int64_t stage);
    // phi^T w of all pairs, into along_.
    void project(const double* w);

    LinearSizes n_;
    std::vector<double> features_, by_coordinate_;  // (S A, d), (d, S A)
    std::vector<double> radii_, caps_;
    double log_switch_;
    std::vector<Gram> grams_;
    std::vector<double> norms2_, reward_sums_, successor_sums_;
    std::vector<double> weights_, q_, value_, solved_, along_;
    std::vector<double> planned_log_det_;
    std::vector<std::uint16_t> policy_;
    std::int64_t plans_ = 0;
};

// `play` with this learner; throws where the model lacks an action.
std::int64_t play_linear(const World& world, LinearLearner& learner, const Words& words,
                         std::int64_t episodes, PlayedPolicies& played, double* returns,
                         const Trace& trace, const Monitor& monitor);

}  // namespace rlt
