#include "learning/soft_linear.hpp"

#include <algorithm>
#include <cmath>

#include "learning/drawn_action.hpp"
#include "solvers/soft_maximum.hpp"

namespace rlt {

namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

std::size_t pairs_of(const LinearSizes& n) { return size(n.stages * n.states * n.actions); }

SoftLinearLearner::Side side_of(const LinearSizes& n) {
    return {std::vector<double>(size(n.stages * n.dimension), 0.0),
            std::vector<double>(pairs_of(n), 0.0),
            std::vector<double>(size((n.stages + 1) * n.states), 0.0)};
}

}  // namespace

SoftLinearLearner::SoftLinearLearner(LinearSizes n, std::vector<double> features, double ridge,
                                     SoftLinearProblem problem)
    : upper(side_of(n)),
      lower(side_of(n)),
      sums_(n, std::move(features), ridge),
      problem_(std::move(problem)),
      policy_(pairs_of(n), 0.0),
      excess_(size(n.stages * n.states), 0.0),
      widest_(size(n.stages * n.states), 0) {}

bool SoftLinearLearner::allowed(std::int64_t stage, std::int64_t state, std::int64_t action) const {
    return problem_.weight[size((stage * sizes().states + state) * sizes().actions + action)] > 0.0;
}

void SoftLinearLearner::plan() {
    ++plans_;
    for (std::int64_t h = sizes().stages - 1; h >= 0; --h) {
        sums_.refresh_norms(h);
        back_up(h, 1.0, upper);
        back_up(h, -1.0, lower);
        improve(h);
    }
}

void SoftLinearLearner::back_up(std::int64_t h, double sign, Side& side) {
    const std::int64_t S = sizes().states, A = sizes().actions, d = sizes().dimension;
    double* w = side.weights.data() + h * d;
    std::fill_n(w, d, 0.0);
    sums_.add_values(h, side.value.data() + (h + 1) * S, w);
    sums_.gram(h).solve(w);
    const double* estimate = sums_.project(w);
    const double* norm2 = sums_.norms2(h);
    const double* reward = problem_.reward.data() + h * S * A;
    const double radius = sign * problem_.radii[size(h)];
    const double most = static_cast<double>(sizes().stages - 1 - h);
    double* q = side.q.data() + h * S * A;
    for (std::int64_t pair = 0; pair < S * A; ++pair) {
        const double ahead = estimate[pair] + radius * std::sqrt(std::max(norm2[pair], 0.0));
        q[pair] = reward[pair] + std::min(std::max(ahead, 0.0), most);
    }
}

void SoftLinearLearner::improve(std::int64_t h) {
    const std::int64_t S = sizes().states, A = sizes().actions;
    for (std::int64_t s = 0; s < S; ++s) {
        const std::int64_t at = h * S + s;
        const double* high = upper.q.data() + at * A;
        const double* low = lower.q.data() + at * A;
        const ReferenceLaw rho{problem_.weight.data() + at * A, problem_.log_weight.data() + at * A,
                               A};
        upper.value[size(at)] = soft_law(high, rho, problem_.temperature, policy_.data() + at * A);
        lower.value[size(at)] = soft_maximum(low, rho, problem_.temperature);
        std::int64_t widest = -1, choices = 0;
        for (std::int64_t a = 0; a < A; ++a) {
            if (!allowed(h, s, a)) continue;
            ++choices;
            if (widest < 0 || high[a] - low[a] > high[widest] - low[widest]) widest = a;
        }
        widest_[size(at)] = widest;
        const double width = choices > 1 ? std::max(high[widest] - low[widest], 0.0) : 0.0;
        excess_[size(at)] = std::min(width, width * width / (8.0 * problem_.temperature));
    }
}

std::int64_t SoftLinearLearner::act(std::int64_t stage, std::int64_t state, double uniform,
                                    bool explores) const {
    const std::int64_t at = stage * sizes().states + state;
    if (explores) return widest_[size(at)];
    return drawn_action(policy_.data() + at * sizes().actions, sizes().actions, uniform);
}

namespace {

// The words of one episode after another.
class Episodes {
public:
    Episodes(const World& world, const ExplorationWords& words, std::int64_t first)
        : world_(world),
          words_(words),
          own_(first),
          episode_(words.world.first_episode),
          starts_(stream(words.world.start_key, episode_, 1)),
          stages_(stream(words.stage_key, own_, 1)),
          moves_(stream(words.world.transition_key, episode_, world.horizon)),
          actions_(stream(words.action_key, own_, world.horizon)) {}

    // act(h, s, uniform, explores) chooses; observe(h, s, a, next) is told what came of it.
    template <class Act, class Observe>
    std::int64_t play(Act&& act, Observe&& observe) {
        const std::int64_t H = world_.horizon, exploring = exploring_stage(stages_.next(), H);
        const std::int64_t steps = play_episode(
            world_, world_.starts.draw(0, starts_.next()), moves_,
            [&](std::int64_t h, std::int64_t s) {
                return act(h, s, actions_.uniform(), h == exploring);
            },
            [&](std::int64_t h, std::int64_t s, std::int64_t a, std::int64_t, std::int64_t next) {
                observe(h, s, a, next);
            });
        ++own_;
        ++episode_;
        if (steps < H) {
            moves_ = stream(words_.world.transition_key, episode_, H);
            actions_ = stream(words_.action_key, own_, H);
        }
        return steps;
    }

private:
    static Philox stream(const std::uint64_t (&key)[2], std::int64_t episode, std::int64_t each) {
        return Philox(key[0], key[1],
                      static_cast<std::uint64_t>(episode) * static_cast<std::uint64_t>(each));
    }

    const World& world_;
    const ExplorationWords& words_;
    std::int64_t own_, episode_;
    Philox starts_, stages_, moves_, actions_;
};

constexpr std::int64_t between_monitors = 256;

}  // namespace

std::int64_t explore_linear(const World& world, const ExplorationWords& words,
                            const Monitor& monitor, SoftLinearLearner& learner, std::int64_t first,
                            std::int64_t episodes) {
    Episodes played(world, words, first);
    std::int64_t steps = 0;
    for (std::int64_t k = 0; k < episodes; ++k) {
        steps += played.play([&](std::int64_t h, std::int64_t s, double uniform,
                                 bool explores) { return learner.act(h, s, uniform, explores); },
                             [&](std::int64_t h, std::int64_t s, std::int64_t a,
                                 std::int64_t next) { learner.observe(h, s, a, next); });
        if (k % between_monitors == 0) monitor();
    }
    return steps;
}

RollOut roll_out(const World& world, const ExplorationWords& words, const Monitor& monitor,
                 const SoftLinearLearner& learner, std::int64_t first, std::int64_t episodes) {
    Episodes played(world, words, first);
    RollOut found{0.0, 0};
    for (std::int64_t k = 0; k < episodes; ++k) {
        double sum = 0.0;
        found.steps += played.play([&](std::int64_t h, std::int64_t s, double uniform,
                                       bool) { return learner.act(h, s, uniform, false); },
                                   [&](std::int64_t h, std::int64_t s, std::int64_t, std::int64_t) {
                                       sum += learner.excess(h, s);
                                   });
        found.total += sum;
        if (k % between_monitors == 0) monitor();
    }
    return found;
}

}  // namespace rlt
