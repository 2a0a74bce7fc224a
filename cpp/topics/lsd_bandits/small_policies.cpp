#include "topics/lsd_bandits/small_policies.hpp"

#include <algorithm>
#include <numeric>

namespace rlt::lsd {

SmallPolicies::SmallPolicies(const SmallBandits& shape)
    : w_(shape), drawn_(shape.arms(), nullptr), offset_(shape.arms(), 0), state_(shape.arms(), 0) {}

// --- real states --------------------------------------------------------------------------

void SmallPolicies::rest() {
    for (std::int64_t i = 0; i < w_.arms(); ++i) state_[i] = w_.size(i) - 1;
}

std::int64_t SmallPolicies::move(std::int64_t played) {
    std::int64_t earned = 0;
    for (std::int64_t i = 0; i < w_.arms(); ++i) {
        std::int64_t& s = state_[i];
        if (i == played) {
            earned = pay_[w_.first(i) + s];
            s = w_.played(i, s);
        } else {
            s = w_.rested(i, s);
        }
    }
    return earned;
}

std::int64_t SmallPolicies::joint() const {
    std::int64_t v = 0;
    for (std::int64_t i = 0; i < w_.arms(); ++i) v = v * w_.size(i) + state_[i];
    return v;
}

// States at multiples of the period repeat; the average is that of the rounds in between.
template <class Round>
double SmallPolicies::until_repeat(std::int64_t period, const Round& round_of) {
    visited_.clear();
    std::int64_t total = 0;
    for (std::int64_t round = 0;; ++round) {
        if (round % period == 0) {
            const std::int64_t v = joint();
            for (const auto& [state, when, earned] : visited_)
                if (state == v)
                    return static_cast<double>(total - earned) / static_cast<double>(round - when);
            visited_.push_back({v, round, total});
        }
        total += round_of(round);
    }
}

double SmallPolicies::greedy(const std::int64_t* pay) {
    pay_ = pay;
    rest();
    return until_repeat(1, [&](std::int64_t) {
        std::int64_t best = -1, most = 0;
        for (std::int64_t i = 0; i < w_.arms(); ++i)
            if (pay_[w_.first(i) + state_[i]] > most) {
                most = pay_[w_.first(i) + state_[i]];
                best = i;
            }
        return move(best);
    });
}

// --- interleaved plans --------------------------------------------------------------------

// What the plan pays, virtually, in a round of its cycle; -1 where it rests.
std::int64_t SmallPolicies::virtual_payoff(std::int64_t arm, const SmallPlan& plan,
                                           std::int64_t round) const {
    const std::int64_t* p = pay_ + w_.first(arm) + w_.plays(arm);
    if (plan.rests == 0) return p[-w_.plays(arm)];
    const std::int64_t j = round - plan.rests;
    if (j < 0) return -1;
    return j == 0 ? p[plan.rests - 1] : p[-j];
}

// One round: which arm is played, given virtual plans; then real states move.
std::int64_t SmallPolicies::play(std::int64_t round, bool by_real) {
    std::int64_t best = -1, most = -1;
    for (std::int64_t i = 0; i < w_.arms(); ++i) {
        if (drawn_[i] == nullptr) continue;
        const std::int64_t v =
            virtual_payoff(i, *drawn_[i], (round + offset_[i]) % drawn_[i]->period());
        if (v < 0) continue;
        const std::int64_t rank = by_real ? pay_[w_.first(i) + state_[i]] : v;
        if (rank > most) {
            most = rank;
            best = i;
        }
    }
    return move(best);
}

// The long-run average of the drawn plans and offsets, from the rested states.
double SmallPolicies::average(bool by_real) {
    std::int64_t period = 1, reach = 0;
    for (std::int64_t i = 0; i < w_.arms(); ++i) {
        if (drawn_[i] != nullptr) period = std::lcm(period, drawn_[i]->period());
        reach = std::max(reach, 2 * w_.size(i));
    }
    rest();
    if (by_real) return until_repeat(period, [&](std::int64_t round) { return play(round, true); });
    // Plays are periodic, and states forget what is longer ago than `reach`.
    std::int64_t round = 0;
    for (; round < reach || round % period != 0; ++round) play(round, false);
    std::int64_t total = 0;
    for (std::int64_t i = 0; i < period; ++i) total += play(round + i, false);
    return static_cast<double>(total) / static_cast<double>(period);
}

double SmallPolicies::interleaved(const std::int64_t* pay, const ChosenPlans& chosen,
                                  bool by_real) {
    pay_ = pay;
    return mean_from(0, 1, chosen, by_real);
}

// Over the plans and offsets of this arm and those after it. Shifting all offsets together changes
// no long-run average under virtual ranking: an arm's offset counts modulo the common divisor of
// its period and the common period of the arms before it.
double SmallPolicies::mean_from(std::int64_t arm, std::int64_t common, const ChosenPlans& chosen,
                                bool by_real) {
    if (arm == w_.arms()) return average(by_real);
    double sum = 0.0, never = 1.0;
    for (const ChosenPlan& choice : chosen[arm]) {
        never -= choice.probability;
        const std::int64_t period = choice.plan.period();
        const std::int64_t offsets = by_real ? period : std::gcd(common, period);
        drawn_[arm] = &choice.plan;
        double part = 0.0;
        for (std::int64_t o = 0; o < offsets; ++o) {
            offset_[arm] = o;
            part += mean_from(arm + 1, std::lcm(common, period), chosen, by_real);
        }
        sum += choice.probability * part / static_cast<double>(offsets);
    }
    if (never > 1e-12) {
        drawn_[arm] = nullptr;
        sum += never * mean_from(arm + 1, common, chosen, by_real);
    }
    return sum;
}

// --- derandomised -------------------------------------------------------------------------

double SmallPolicies::derandomised(const std::int64_t* pay, const ChosenPlans& chosen) {
    pay_ = pay;
    current_.assign(1, 0);
    for (std::int64_t i = 0; i < w_.arms(); ++i) {
        drawn_[i] = nullptr;
        if (chosen[i].empty()) continue;
        law_after(i, chosen);
        draw_best(i, chosen[i]);
        merge(i);
    }
    return average(false);
}

// Values and cumulated probabilities of the largest virtual payoff of later arms, in one round.
void SmallPolicies::law_after(std::int64_t arm, const ChosenPlans& chosen) {
    values_.assign(1, 0);
    for (std::int64_t j = arm + 1; j < w_.arms(); ++j)
        for (std::int64_t s = w_.first(j); s < w_.end(j); ++s) values_.push_back(pay_[s]);
    std::sort(values_.begin(), values_.end());
    values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
    below_.assign(values_.size(), 1.0);
    for (std::int64_t j = arm + 1; j < w_.arms(); ++j)
        for (std::size_t l = 0; l < values_.size(); ++l) {
            double above = 0.0;
            for (const ChosenPlan& choice : chosen[j])
                for (std::int64_t t = 0; t < choice.plan.period(); ++t)
                    if (virtual_payoff(j, choice.plan, t) > values_[l])
                        above += choice.probability / static_cast<double>(choice.plan.period());
            below_[l] *= 1.0 - above;
        }
}

// E[max(c, largest)]
double SmallPolicies::expected_max(std::int64_t c) const {
    double out = static_cast<double>(c), until = 0.0;
    for (std::size_t l = 0; l < values_.size(); ++l) {
        if (values_[l] > c) out += (below_[l] - until) * static_cast<double>(values_[l] - c);
        until = below_[l];
    }
    return out;
}

// Scores are whole numbers over (common period) x (denominators of the rates), far apart beside
// the rounding of a few hundred operations.
void SmallPolicies::draw_best(std::int64_t arm, const std::vector<ChosenPlan>& choices) {
    constexpr double tolerance = 1e-11;
    double best = -1.0;
    const auto before = static_cast<std::int64_t>(current_.size());
    for (const ChosenPlan& choice : choices) {
        const std::int64_t period = choice.plan.period();
        const std::int64_t common = std::lcm(before, period);
        for (std::int64_t o = 0; o < period; ++o) {
            double score = 0.0;
            for (std::int64_t t = 0; t < common; ++t)
                score += expected_max(std::max(current_[t % before],
                                               virtual_payoff(arm, choice.plan, (t + o) % period)));
            score /= static_cast<double>(common);
            if (score > best + tolerance * std::max(1.0, best)) {
                best = score;
                drawn_[arm] = &choice.plan;
                offset_[arm] = o;
            }
        }
    }
}

// current_ is the largest virtual payoff of the arms so far, round by round of their common period.
void SmallPolicies::merge(std::int64_t arm) {
    const SmallPlan& plan = *drawn_[arm];
    const auto before = static_cast<std::int64_t>(current_.size());
    const std::int64_t common = std::lcm(before, plan.period());
    merged_.resize(common);
    for (std::int64_t t = 0; t < common; ++t)
        merged_[t] = std::max(current_[t % before],
                              virtual_payoff(arm, plan, (t + offset_[arm]) % plan.period()));
    current_.swap(merged_);
}

}  // namespace rlt::lsd
