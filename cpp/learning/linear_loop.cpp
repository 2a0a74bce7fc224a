#include "learning/linear_loop.hpp"

#include <algorithm>

namespace rlt {

namespace {

constexpr std::int64_t fresh_norms = 256;
constexpr double rounding = 1e-9;  // of rewards that are products of features and weights

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

LinearLearner::LinearLearner(LinearSizes n, std::vector<double> features, double ridge,
                             std::vector<double> radii, std::vector<double> caps, double log_switch)
    : sums_(n, std::move(features), ridge),
      radii_(std::move(radii)),
      caps_(std::move(caps)),
      log_switch_(log_switch),
      reward_sums_(size(n.stages * n.dimension), 0.0),
      weights_(size(n.stages * n.dimension), 0.0),
      q_(size(n.stages * n.states * n.actions), 0.0),
      value_(size((n.stages + 1) * n.states), 0.0),
      planned_log_det_(size(n.stages), 0.0),
      policy_(size(n.stages * n.states), 0) {}

bool LinearLearner::is_due() const {
    if (plans_ == 0 || log_switch_ < 0.0) return true;
    for (std::int64_t h = 0; h < sizes().stages; ++h)
        if (gram(h).log_det_ratio() > planned_log_det_[size(h)] + log_switch_) return true;
    return false;
}

bool LinearLearner::plan() {
    if (!is_due()) return false;
    ++plans_;
    const std::int64_t S = sizes().states, A = sizes().actions, d = sizes().dimension;
    for (std::int64_t h = sizes().stages - 1; h >= 0; --h) {
        planned_log_det_[size(h)] = gram(h).log_det_ratio();
        if (log_switch_ >= 0.0) sums_.refresh_norms(h);
        double* w = weights_.data() + h * d;
        std::copy_n(reward_sums_.data() + h * d, d, w);
        sums_.add_values(h, value(h + 1), w);
        gram(h).solve(w);
        const double* norm2 = sums_.norms2(h);
        double* q = q_.data() + h * S * A;
        const double* estimate = sums_.project(w);
        const double radius = radii_[size(h)], cap = caps_[size(h)];
        for (std::int64_t pair = 0; pair < S * A; ++pair) {
            const double upper = estimate[pair] + radius * std::sqrt(std::max(norm2[pair], 0.0));
            q[pair] = std::min(std::max(upper, 0.0), cap);
        }
        for (std::int64_t s = 0; s < S; ++s) {
            std::int64_t best = 0;
            for (std::int64_t a = 1; a < A; ++a)
                if (q[s * A + a] > q[s * A + best]) best = a;
            policy_[size(h * S + s)] = static_cast<std::uint16_t>(best);
            value_[size(h * S + s)] = q[s * A + best];
        }
    }
    return true;
}

void LinearLearner::observe(std::int64_t stage, std::int64_t state, std::int64_t action,
                            double reward, std::int64_t next) {
    if (!(reward >= -rounding && reward <= 1.0 + rounding))
        throw RewardFault("the reward of action " + std::to_string(action) + " in state " +
                          std::to_string(state) + " at stage " + std::to_string(stage) + " is " +
                          std::to_string(reward) + "; it must be in [0, 1]");
    const std::int64_t d = sizes().dimension;
    const double* x = sums_.feature(state, action);
    const double u = sums_.observe(stage, state, action, next);
    for (std::int64_t j = 0; j < d; ++j) reward_sums_[size(stage * d + j)] += reward * x[j];
    if (log_switch_ >= 0.0) return;
    if (gram(stage).updates() % fresh_norms == 0) return sums_.refresh_norms(stage);
    sums_.lower_norms(stage, u);
}

std::int64_t play_linear(const World& world, LinearLearner& learner, const Words& words,
                         std::int64_t episodes, PlayedPolicies& played, double* returns,
                         const Trace& trace, const Monitor& monitor) {
    for (std::int64_t h = 0; h < world.horizon; ++h)
        for (std::int64_t s = 0; s < world.model.n_states; ++s)
            for (std::int64_t a = 0; a < world.model.n_actions; ++a)
                if (world.table.row(h, s, a) < 0)
                    throw std::invalid_argument("state " + std::to_string(s) +
                                                " does not have action " + std::to_string(a) +
                                                ", of which there are features");
    return play(world, learner, words, episodes, played, returns, trace, monitor);
}

}  // namespace rlt
