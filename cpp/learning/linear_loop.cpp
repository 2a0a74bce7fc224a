#include "learning/linear_loop.hpp"

#include <algorithm>

namespace rlt {

namespace {

constexpr std::int64_t fresh_norms = 256;
constexpr double rounding = 1e-9;  // of rewards that are products of features and weights

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

LinearLearner::LinearLearner(LinearSizes sizes, std::vector<double> features, double ridge,
                             std::vector<double> radii, std::vector<double> caps, double log_switch)
    : n_(sizes),
      features_(std::move(features)),
      by_coordinate_(features_.size()),
      radii_(std::move(radii)),
      caps_(std::move(caps)),
      log_switch_(log_switch),
      grams_(size(n_.stages), Gram(n_.dimension, ridge)),
      norms2_(size(n_.stages * n_.states * n_.actions)),
      reward_sums_(size(n_.stages * n_.dimension), 0.0),
      successor_sums_(size(n_.stages * n_.states * n_.dimension), 0.0),
      weights_(size(n_.stages * n_.dimension), 0.0),
      q_(size(n_.stages * n_.states * n_.actions), 0.0),
      value_(size((n_.stages + 1) * n_.states), 0.0),
      solved_(size(n_.dimension)),
      along_(size(n_.states * n_.actions)),
      planned_log_det_(size(n_.stages), 0.0),
      policy_(size(n_.stages * n_.states), 0) {
    const std::int64_t pairs = n_.states * n_.actions, d = n_.dimension;
    for (std::int64_t pair = 0; pair < pairs; ++pair)
        for (std::int64_t j = 0; j < d; ++j)
            by_coordinate_[size(j * pairs + pair)] = features_[size(pair * d + j)];
    for (std::int64_t h = 0; h < n_.stages; ++h) refresh_norms(h);
}

void LinearLearner::project(const double* w) {
    const std::int64_t pairs = n_.states * n_.actions;
    double* out = along_.data();
    std::fill(out, out + pairs, 0.0);
    for (std::int64_t j = 0; j < n_.dimension; ++j) {
        const double* column = by_coordinate_.data() + j * pairs;
        const double factor = w[j];
        for (std::int64_t pair = 0; pair < pairs; ++pair) out[pair] += factor * column[pair];
    }
}

bool LinearLearner::is_due() const {
    if (plans_ == 0 || log_switch_ < 0.0) return true;
    for (std::int64_t h = 0; h < n_.stages; ++h)
        if (gram(h).log_det_ratio() > planned_log_det_[size(h)] + log_switch_) return true;
    return false;
}

bool LinearLearner::plan() {
    if (!is_due()) return false;
    ++plans_;
    const std::int64_t S = n_.states, A = n_.actions, d = n_.dimension;
    for (std::int64_t h = n_.stages - 1; h >= 0; --h) {
        planned_log_det_[size(h)] = gram(h).log_det_ratio();
        if (log_switch_ >= 0.0) refresh_norms(h);
        double* w = weights_.data() + h * d;
        const double* sums = successor_sums_.data() + h * S * d;
        const double* later = value_.data() + (h + 1) * S;
        std::copy_n(reward_sums_.data() + h * d, d, w);
        for (std::int64_t s = 0; s < S; ++s)
            if (later[s] != 0.0)
                for (std::int64_t j = 0; j < d; ++j) w[j] += later[s] * sums[s * d + j];
        gram(h).solve(w);
        const double* norm2 = norms2_.data() + h * S * A;
        double* q = q_.data() + h * S * A;
        project(w);
        const double* estimate = along_.data();
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
    const std::int64_t S = n_.states, A = n_.actions, d = n_.dimension;
    if (!(reward >= -rounding && reward <= 1.0 + rounding))
        throw RewardFault("the reward of action " + std::to_string(action) + " in state " +
                          std::to_string(state) + " at stage " + std::to_string(stage) + " is " +
                          std::to_string(reward) + "; it must be in [0, 1]");
    const double* x = features_.data() + (state * A + action) * d;
    Gram& gram = grams_[size(stage)];
    const double u = gram.update(x, 1.0, solved_.data());
    for (std::int64_t j = 0; j < d; ++j) reward_sums_[size(stage * d + j)] += reward * x[j];
    if (next >= 0)
        for (std::int64_t j = 0; j < d; ++j)
            successor_sums_[size((stage * S + next) * d + j)] += x[j];
    if (log_switch_ >= 0.0) return;
    if (gram.updates() % fresh_norms == 0) return refresh_norms(stage);
    double* norm2 = norms2_.data() + stage * S * A;
    project(solved_.data());
    const double scale = 1.0 + u;
    for (std::int64_t pair = 0; pair < S * A; ++pair)
        norm2[pair] -= along_[size(pair)] * along_[size(pair)] / scale;
}

void LinearLearner::refresh_norms(std::int64_t stage) {
    const std::int64_t pairs = n_.states * n_.actions, d = n_.dimension;
    double* norm2 = norms2_.data() + stage * pairs;
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
        std::copy_n(features_.data() + pair * d, d, solved_.data());
        norm2[pair] = gram(stage).norm2(solved_.data());
    }
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
