// Backward induction over what a learner has seen, with the backup as a parameter.
//
//     Q_h = backup of V_{h+1},    V_h = max_a Q_h,    greedy actions, the lowest index on ties.
//
// Where V_{h+1} is what it was at the plan before, to the bit, only the pairs of stage h that were
// visited since can have another Q, and only they are backed up: values at their caps, of which an
// optimistic plan has many, stay there.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "learning/counts.hpp"

namespace rlt {

// When the policy is planned anew: before every episode, or before the episode after a count of
// some pair has become a power of two.
enum class Replanning { every_episode, doubling };

// Whether a plan backs up everything, or what may have changed; the numbers are the same.
enum class Induction { changes, full };

struct Habits {
    Replanning replanning = Replanning::every_episode;
    Induction induction = Induction::changes;
    bool random_rewards = false;  // else a reward that changes is refused
};

// A reward that the learner's assumptions exclude.
struct RewardFault : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

template <class Backup>
class Planner;

// Planner::induce, compiled for this processor: see here.hpp.
template <class Backup>
void plan_here(Planner<Backup>& planner);

template <class Backup>
class Planner {
public:
    Planner(Counts counts, Backup backup, const Habits& habits)
        : x(std::move(counts)),
          backup_(std::move(backup)),
          replanning_(habits.replanning),
          induction_(habits.induction),
          random_rewards_(habits.random_rewards),
          value_stride_(padded(x.S)),
          value_(blocks((x.H + 1) * value_stride_)),
          squared_(blocks(value_stride_)),
          q_(blocks(x.H * q_stride())),
          policy_(static_cast<std::size_t>(x.H * x.S), 0),
          visited_(static_cast<std::size_t>(x.H * most_noted), 0),
          n_visited_(static_cast<std::size_t>(x.H), most_noted + 1) {}

    const Counts& counts() const { return x; }
    const std::uint16_t* policy() const { return policy_.data(); }
    // V of stage h = 0..H, and Q of a stage, (A, S), as of the last plan.
    const double* value(std::int64_t h) const { return value_.data()->lane + h * value_stride_; }
    const double* q(std::int64_t h) const { return q_.data()->lane + h * q_stride(); }
    std::int64_t plans() const { return plans_; }
    bool random_rewards() const { return random_rewards_; }

    void forbid(std::int64_t h, std::int64_t s, std::int64_t a) {
        backup_.forbid(x, h, x.column(s, a));
        note(h, x.column(s, a));
    }

    // Plans if it is time to; whether it was.
    bool plan() {
        if (!due_) return false;
        due_ = replanning_ == Replanning::every_episode;
        ++plans_;
        plan_here(*this);
        return true;
    }

    void observe(std::int64_t h, std::int64_t s, std::int64_t a, double r, std::int64_t next) {
        const std::int64_t pair = x.column(s, a);
        const std::int64_t before = x.visits[static_cast<std::size_t>(h * x.stride + pair)];
        const bool known = before > 0 && !random_rewards_;
        if (known ? r != x.reward(h)[pair] : !(r >= 0.0 && r <= 1.0)) refuse(h, s, a, r, known);
        if (before >= backup_.most_visits())
            throw std::invalid_argument("more episodes are played than the bonus has counts for");
        const std::int64_t n = x.observe(h, pair, r, next);
        backup_.observed(x, h, pair, n);
        note(h, pair);
        if ((n & before) == 0) due_ = true;  // n is a power of two
    }

    template <class L>
    static constexpr int columns() {
        return (L::count == 2 ? 8 : 10) / Backup::powers;
    }

    // One backward induction, W registers of pairs at a time: inlined into functions that are
    // compiled for one kind of processor each.
    template <class L, int W>
    [[gnu::always_inline]] void induce() {
        double* const squared = squared_.data()->lane;
        bool changed = induction_ == Induction::full;  // V_{h+1}
        for (std::int64_t h = x.H - 1; h >= 0; --h) {
            std::int64_t& visited = n_visited_[static_cast<std::size_t>(h)];
            const bool all = changed || visited > most_noted;
            if (!all && visited == 0) continue;
            const double* later[Backup::powers];
            later[0] = value(h + 1);
            if constexpr (Backup::powers == 2) {
                for (std::int64_t s = 0; s < value_stride_; ++s)
                    squared[s] = later[0][s] * later[0][s];
                later[1] = squared;
            }
            double* const out = q_.data()->lane + h * q_stride();
            if (all) {
                changed = whole_stage<L, W>(h, later, out);
            } else {
                const std::int64_t* pairs = visited_.data() + h * most_noted;
                for (std::int64_t i = 0; i < visited; ++i)
                    changed = one_pair<L>(h, pairs[i], later, out) || changed;
            }
            visited = 0;
            if (induction_ == Induction::full) changed = true;
        }
    }

private:
    using Blocks = std::vector<EightDoubles>;
    static Blocks blocks(std::int64_t doubles) {
        return Blocks(static_cast<std::size_t>(padded(doubles) / 8), EightDoubles{});
    }
    // Lanes past the last state read on into what follows: eight more doubles a stage.
    std::int64_t q_stride() const { return x.stride + 8; }

    // A pair of the stage was visited; beyond a few, all of the stage is planned anew.
    void note(std::int64_t h, std::int64_t pair) {
        std::int64_t& n = n_visited_[static_cast<std::size_t>(h)];
        if (n < most_noted) visited_[static_cast<std::size_t>(h * most_noted + n)] = pair;
        if (n <= most_noted) ++n;
    }

    // Both return whether V_h changed.
    template <class L, int W>
    [[gnu::always_inline]] bool whole_stage(std::int64_t h,
                                            const double* const (&later)[Backup::powers],
                                            double* out) {
        std::int64_t pair = 0;
        for (; pair + W * L::count <= x.stride; pair += W * L::count)
            backup_.template backup<L, W>(x, h, pair, later, out);
        for (; pair < x.stride; pair += L::count)
            backup_.template backup<L, 1>(x, h, pair, later, out);
        bool changed = false;
        for (std::int64_t s = 0; s < x.S; s += L::count) changed = improve<L>(h, s, out) || changed;
        return changed;
    }

    template <class L>
    [[gnu::always_inline]] bool one_pair(std::int64_t h, std::int64_t pair,
                                         const double* const (&later)[Backup::powers],
                                         double* out) {
        backup_.template backup<L, 1>(x, h, pair / L::count * L::count, later, out);
        return improve<L>(h, pair % x.S / L::count * L::count, out);
    }

    // The best actions of a register of states from s on.
    template <class L>
    [[gnu::always_inline]] bool improve(std::int64_t h, std::int64_t s, const double* q) {
        double* const v = value_.data()->lane + h * value_stride_;
        typename L::Doubles best, other;
        typename L::Marks action{};
        load(best, q + s);
        for (std::int64_t a = 1; a < x.A; ++a) {
            load(other, q + a * x.S + s);
            const typename L::Marks better = other > best;
            best = better ? other : best;
            action = better ? (typename L::Marks{} + a) : action;
        }
        const std::int64_t lanes = std::min(L::count, x.S - s);
        double now[L::count];
        store(now, best);
        const bool changed =
            std::memcmp(now, v + s, static_cast<std::size_t>(lanes) * sizeof(double)) != 0;
        std::memcpy(v + s, now, sizeof now);
        std::uint16_t* const chosen = policy_.data() + h * x.S + s;
        for (std::int64_t l = 0; l < lanes; ++l) chosen[l] = static_cast<std::uint16_t>(action[l]);
        return changed;
    }

    [[noreturn]] void refuse(std::int64_t h, std::int64_t s, std::int64_t a, double r,
                             bool known) const {
        const std::string where = "the reward of action " + std::to_string(a) + " in state " +
                                  std::to_string(s) + " at stage " + std::to_string(h) + " is " +
                                  std::to_string(r);
        if (!known) throw RewardFault(where + "; it must be in [0, 1]");
        throw RewardFault(where + " after " + std::to_string(x.reward(h)[x.column(s, a)]) +
                          "; the learner assumes rewards that are no random numbers");
    }

    Counts x;
    Backup backup_;
    Replanning replanning_;
    Induction induction_;
    bool random_rewards_;
    bool due_ = true;
    std::int64_t plans_ = 0;
    std::int64_t value_stride_;
    Blocks value_, squared_, q_;
    std::vector<std::uint16_t> policy_;
    // Pairs visited since the last plan, and how many; one more than can be noted means all.
    static constexpr std::int64_t most_noted = 4;
    std::vector<std::int64_t> visited_, n_visited_;
};

}  // namespace rlt
