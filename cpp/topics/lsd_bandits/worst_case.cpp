#include "topics/lsd_bandits/worst_case.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

#include "support/parallel.hpp"

namespace rlt::lsd {

namespace {

constexpr std::int64_t most_states = std::int64_t{1} << 16;
constexpr std::int64_t most_arms = 4;
// Scores of plans that differ do so by more than this, see `Judge::derandomised`.
constexpr double score_tolerance = 1e-11;

bool less(const Ratio& x, const Ratio& y) {
    return x.numerator * y.denominator < y.numerator * x.denominator;
}

// A cycle of one arm: rest `rests` rounds, then play `plays`; rests = 0 plays always, plays = 0
// never.
struct Plan {
    std::int32_t rests = 1;
    std::int32_t plays = 0;
    std::int64_t reward = 0;

    std::int64_t period() const { return rests + plays; }
};

struct PlanOfArm {
    Plan plan;
    double probability = 0.0;
};

double power(double base, std::int64_t exponent) {
    double out = 1.0;
    for (std::int64_t i = 0; i < exponent; ++i) out *= base;
    return out;
}

}  // namespace

WorstCase::WorstCase(std::span<const std::int32_t> rests, std::span<const std::int32_t> plays,
                     std::int64_t largest_payoff)
    : n_(static_cast<std::int64_t>(rests.size())),
      rests_(rests.begin(), rests.end()),
      plays_(plays.begin(), plays.end()),
      first_(rests.size() + 1, 0) {
    if (n_ < 1 || n_ > most_arms || plays.size() != rests.size())
        throw std::invalid_argument("there are " + std::to_string(n_) + " arms; 1 to " +
                                    std::to_string(most_arms) + " are allowed");
    std::int64_t all = 1;
    std::int64_t longest = 0;
    for (std::int64_t i = 0; i < n_; ++i) {
        if (rests_[i] < 1 || plays_[i] < 1 || rests_[i] + plays_[i] > most_states)
            throw std::invalid_argument("arm " + std::to_string(i) + " has " +
                                        std::to_string(rests_[i]) + " rests and " +
                                        std::to_string(plays_[i]) + " plays; at least 1 of each");
        first_[i + 1] = first_[i] + rests_[i] + plays_[i];
        all *= rests_[i] + plays_[i];
        longest = std::max<std::int64_t>(longest, rests_[i] + plays_[i]);
        if (all > most_states)
            throw std::invalid_argument("there are more than " + std::to_string(most_states) +
                                        " joint states");
    }
    const double most_paid = static_cast<double>(largest_payoff);
    const double widest =
        std::max(static_cast<double>(all) * static_cast<double>(all),
                 static_cast<double>(n_ + 2) * power(static_cast<double>(longest), 2 * n_ + 4));
    if (largest_payoff < 1 || widest * most_paid >= 4.0e18)
        throw std::invalid_argument("payoffs of up to " + std::to_string(largest_payoff) +
                                    " may overflow 64 bits at this shape");
    // Joint states in the order in which they are found, from the rested one.
    std::vector<std::int32_t> index(all, -1);
    std::vector<std::int64_t> found{all - 1};
    index[all - 1] = 0;
    for (std::size_t v = 0; v < found.size(); ++v) {
        for (std::int64_t a = 0; a <= n_; ++a) {
            std::int64_t rest_of = found[v];
            std::int64_t stride = 1;
            std::int64_t next = 0;
            std::int32_t paid = -1;
            for (std::int64_t i = n_ - 1; i >= 0; --i) {
                const std::int64_t size = rests_[i] + plays_[i];
                const std::int64_t s = rest_of % size;
                rest_of /= size;
                std::int64_t to;
                if (a == i + 1) {
                    to = s < plays_[i] ? std::max<std::int64_t>(0, s - 1) : plays_[i] - 1;
                    paid = static_cast<std::int32_t>(first_[i] + s);
                } else {
                    to = s < plays_[i] ? plays_[i] : std::min(size - 1, s + 1);
                }
                next += stride * to;
                stride *= size;
            }
            if (index[next] < 0) {
                index[next] = static_cast<std::int32_t>(found.size());
                found.push_back(next);
            }
            successor_.push_back(index[next]);
            paid_.push_back(paid);
        }
    }
    states_ = static_cast<std::int64_t>(found.size());
}

// The working memory of one thread, and what it computes for one instance after another.
class Judge {
public:
    explicit Judge(const WorstCase& shape)
        : w_(shape),
          optimum_(shape.states_, shape.n_ + 1, shape.successor_, shape.paid_),
          hulls_(shape.n_),
          chosen_(shape.n_),
          drawn_(shape.n_, nullptr),
          offset_(shape.n_, 0),
          state_(shape.n_, 0) {}

    Judged operator()(const std::int64_t* pay, Policy policy) {
        pay_ = pay;
        Judged out;
        out.optimum = optimum_(pay);
        out.relaxation = relaxation();
        switch (policy) {
            case Policy::none:
                break;
            case Policy::interleaved:
                out.policy = interleaved(false);
                break;
            case Policy::real_ranking:
                out.policy = interleaved(true);
                break;
            case Policy::derandomised:
                out.policy = derandomised();
                break;
            case Policy::greedy:
                out.policy = greedy();
                break;
        }
        return out;
    }

private:
    // --- the relaxation -------------------------------------------------------------------

    struct Segment {
        std::int64_t rise, run;  // slope = rise / run
        std::int64_t arm, index;
    };

    std::int64_t steps(const Plan& from, const Plan& to) const {
        return to.plays * from.period() - from.plays * to.period();
    }
    std::int64_t gain(const Plan& from, const Plan& to) const {
        return to.reward * from.period() - from.reward * to.period();
    }

    // From (0, 0) always to the steepest point ahead, of equally steep ones to the farthest, until
    // none is higher; among blocks at one point the shortest.
    void hull(std::int64_t i) {
        const std::int64_t* p = pay_ + w_.first_[i] + w_.plays_[i];  // p[n - 1], p[-m]
        points_.clear();
        for (std::int32_t n = 1; n <= w_.rests_[i]; ++n) {
            std::int64_t reward = p[n - 1];
            for (std::int32_t m = 1; m <= w_.plays_[i]; ++m) {
                points_.push_back({n, m, reward});
                reward += p[-m];
            }
        }
        points_.push_back({0, 1, p[-w_.plays_[i]]});
        auto& hull = hulls_[i];
        hull.assign(1, Plan{});
        while (true) {
            const Plan at = hull.back();
            const Plan* best = nullptr;
            for (const Plan& x : points_) {
                const std::int64_t run = steps(at, x);
                if (run <= 0) continue;
                if (best == nullptr) {
                    best = &x;
                    continue;
                }
                const std::int64_t steeper = gain(at, x) * steps(at, *best) - gain(at, *best) * run;
                const std::int64_t farther = steps(*best, x);
                if (steeper > 0 || (steeper == 0 &&
                                    (farther > 0 || (farther == 0 && x.period() < best->period()))))
                    best = &x;
            }
            if (best == nullptr || gain(at, *best) <= 0) return;
            hull.push_back(*best);
        }
    }

    // Segments of all hulls by decreasing slope, the lowest arm first, until one play a round is
    // used up. Fills chosen_ with the plans of each arm, by ascending rate of plays.
    Ratio relaxation() {
        segments_.clear();
        for (std::int64_t i = 0; i < w_.n_; ++i) {
            hull(i);
            chosen_[i].clear();
            for (std::size_t j = 0; j + 1 < hulls_[i].size(); ++j) {
                const Plan &from = hulls_[i][j], &to = hulls_[i][j + 1];
                segments_.push_back(
                    {gain(from, to), steps(from, to), i, static_cast<std::int64_t>(j)});
            }
        }
        std::stable_sort(
            segments_.begin(), segments_.end(),
            [](const Segment& x, const Segment& y) { return x.rise * y.run > y.rise * x.run; });
        at_.assign(w_.n_, 0);
        std::int64_t mixing = -1;
        Ratio share{0, 1};
        Ratio left{1, 1};
        for (const Segment& segment : segments_) {
            const Plan& from = hulls_[segment.arm][segment.index];
            const Plan& to = hulls_[segment.arm][segment.index + 1];
            const Ratio length = reduced(segment.run, from.period() * to.period());
            if (less(left, length)) {
                share = reduced(left.numerator * length.denominator,
                                left.denominator * length.numerator);
                if (share.numerator > 0) mixing = segment.arm;
                break;
            }
            left =
                reduced(left.numerator * length.denominator - length.numerator * left.denominator,
                        left.denominator * length.denominator);
            at_[segment.arm] = segment.index + 1;
            if (left.numerator == 0) break;
        }
        Ratio value{0, 1};
        const auto add = [&](std::int64_t numerator, std::int64_t denominator) {
            value = reduced(value.numerator * denominator + numerator * value.denominator,
                            value.denominator * denominator);
        };
        for (std::int64_t i = 0; i < w_.n_; ++i) {
            const Plan& plan = hulls_[i][at_[i]];
            const bool mixes = i == mixing;
            const double part = mixes ? static_cast<double>(share.numerator) /
                                            static_cast<double>(share.denominator)
                                      : 0.0;
            add(plan.reward, plan.period());
            if (plan.plays > 0) chosen_[i].push_back({plan, 1.0 - part});
            if (!mixes) continue;
            const Plan& after = hulls_[i][at_[i] + 1];
            const Ratio rise = reduced(gain(plan, after), plan.period() * after.period());
            const Ratio added =
                reduced(rise.numerator * share.numerator, rise.denominator * share.denominator);
            add(added.numerator, added.denominator);
            chosen_[i].push_back({after, part});
        }
        return value;
    }

    // --- policies -------------------------------------------------------------------------

    // What the plan pays, virtually, in a round of its cycle; -1 where it rests.
    std::int64_t virtual_payoff(std::int64_t i, const Plan& plan, std::int64_t round) const {
        const std::int64_t* p = pay_ + w_.first_[i] + w_.plays_[i];
        if (plan.rests == 0) return p[-w_.plays_[i]];
        const std::int64_t j = round - plan.rests;
        if (j < 0) return -1;
        return j == 0 ? p[plan.rests - 1] : p[-j];
    }

    // One round: which arm is played, given virtual plans; then real states move.
    std::int64_t play(std::int64_t round, bool by_real) {
        std::int64_t best = -1, most = -1;
        for (std::int64_t i = 0; i < w_.n_; ++i) {
            if (drawn_[i] == nullptr) continue;
            const std::int64_t v =
                virtual_payoff(i, *drawn_[i], (round + offset_[i]) % drawn_[i]->period());
            if (v < 0) continue;
            const std::int64_t rank = by_real ? pay_[w_.first_[i] + state_[i]] : v;
            if (rank > most) {
                most = rank;
                best = i;
            }
        }
        return move(best);
    }

    std::int64_t move(std::int64_t played) {
        std::int64_t earned = 0;
        for (std::int64_t i = 0; i < w_.n_; ++i) {
            const std::int64_t top = w_.rests_[i] + w_.plays_[i] - 1;
            std::int64_t& s = state_[i];
            if (i == played) {
                earned = pay_[w_.first_[i] + s];
                s = s < w_.plays_[i] ? std::max<std::int64_t>(0, s - 1) : w_.plays_[i] - 1;
            } else {
                s = s < w_.plays_[i] ? w_.plays_[i] : std::min(top, s + 1);
            }
        }
        return earned;
    }

    void rest() {
        for (std::int64_t i = 0; i < w_.n_; ++i) state_[i] = w_.rests_[i] + w_.plays_[i] - 1;
    }

    std::int64_t joint() const {
        std::int64_t v = 0;
        for (std::int64_t i = 0; i < w_.n_; ++i) v = v * (w_.rests_[i] + w_.plays_[i]) + state_[i];
        return v;
    }

    // The long-run average of the drawn plans and offsets, from the rested states.
    double average(bool by_real) {
        std::int64_t period = 1, reach = 0;
        for (std::int64_t i = 0; i < w_.n_; ++i) {
            if (drawn_[i] != nullptr) period = std::lcm(period, drawn_[i]->period());
            reach = std::max<std::int64_t>(reach, 2 * (w_.rests_[i] + w_.plays_[i]));
        }
        rest();
        if (!by_real) {
            // Plays are periodic, and states forget what is longer ago than `reach`.
            std::int64_t round = 0;
            for (; round < reach || round % period != 0; ++round) play(round, false);
            std::int64_t total = 0;
            for (std::int64_t i = 0; i < period; ++i) total += play(round + i, false);
            return static_cast<double>(total) / static_cast<double>(period);
        }
        return until_repeat(period, [&](std::int64_t round) { return play(round, true); });
    }

    // States at multiples of the period repeat; the average is that of the rounds in between.
    template <class Round>
    double until_repeat(std::int64_t period, const Round& round_of) {
        visited_.clear();
        std::int64_t total = 0;
        for (std::int64_t round = 0;; ++round) {
            if (round % period == 0) {
                const std::int64_t v = joint();
                for (const auto& [state, when, earned] : visited_)
                    if (state == v)
                        return static_cast<double>(total - earned) /
                               static_cast<double>(round - when);
                visited_.push_back({v, round, total});
            }
            total += round_of(round);
        }
    }

    // Expectation over independent plans and offsets. Shifting all offsets together changes no
    // long-run average under virtual ranking: an arm's offset counts modulo the common divisor of
    // its period and the common period of the arms before it.
    double interleaved(bool by_real) { return mean_from(0, 1, by_real); }

    double mean_from(std::int64_t i, std::int64_t common, bool by_real) {
        if (i == w_.n_) return average(by_real);
        double sum = 0.0, never = 1.0;
        for (const PlanOfArm& choice : chosen_[i]) {
            never -= choice.probability;
            const std::int64_t period = choice.plan.period();
            const std::int64_t offsets = by_real ? period : std::gcd(common, period);
            drawn_[i] = &choice.plan;
            double part = 0.0;
            for (std::int64_t o = 0; o < offsets; ++o) {
                offset_[i] = o;
                part += mean_from(i + 1, std::lcm(common, period), by_real);
            }
            sum += choice.probability * part / static_cast<double>(offsets);
        }
        if (never > 1e-12) {
            drawn_[i] = nullptr;
            sum += never * mean_from(i + 1, common, by_real);
        }
        return sum;
    }

    // A8: plan after plan and offset after offset with the largest conditional expectation; of
    // equal ones the first. Scores are whole numbers over (common period) x (denominators of the
    // rates), far apart beside the rounding of a few hundred operations.
    double derandomised() {
        current_.assign(1, 0);
        for (std::int64_t i = 0; i < w_.n_; ++i) {
            drawn_[i] = nullptr;
            if (chosen_[i].empty()) continue;
            law_after(i);
            double best = -1.0;
            const std::int64_t before = static_cast<std::int64_t>(current_.size());
            for (const PlanOfArm& choice : chosen_[i]) {
                const std::int64_t period = choice.plan.period();
                const std::int64_t common = std::lcm(before, period);
                for (std::int64_t o = 0; o < period; ++o) {
                    double score = 0.0;
                    for (std::int64_t t = 0; t < common; ++t)
                        score += expected_max(
                            std::max(current_[t % before],
                                     virtual_payoff(i, choice.plan, (t + o) % period)));
                    score /= static_cast<double>(common);
                    if (score > best + score_tolerance * std::max(1.0, best)) {
                        best = score;
                        drawn_[i] = &choice.plan;
                        offset_[i] = o;
                    }
                }
            }
            const std::int64_t period = drawn_[i]->period();
            merged_.resize(std::lcm(before, period));
            for (std::size_t t = 0; t < merged_.size(); ++t)
                merged_[t] =
                    std::max(current_[t % current_.size()],
                             virtual_payoff(i, *drawn_[i],
                                            (static_cast<std::int64_t>(t) + offset_[i]) % period));
            current_.swap(merged_);
        }
        return average(false);
    }

    // Values and cumulated probabilities of the largest virtual payoff of arms after i, in one
    // round.
    void law_after(std::int64_t i) {
        values_.assign(1, 0);
        for (std::int64_t j = i + 1; j < w_.n_; ++j)
            for (std::int64_t s = w_.first_[j]; s < w_.first_[j + 1]; ++s)
                values_.push_back(pay_[s]);
        std::sort(values_.begin(), values_.end());
        values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
        below_.assign(values_.size(), 1.0);
        for (std::int64_t j = i + 1; j < w_.n_; ++j)
            for (std::size_t l = 0; l < values_.size(); ++l) {
                double above = 0.0;
                for (const PlanOfArm& choice : chosen_[j])
                    for (std::int64_t t = 0; t < choice.plan.period(); ++t)
                        if (virtual_payoff(j, choice.plan, t) > values_[l])
                            above += choice.probability / static_cast<double>(choice.plan.period());
                below_[l] *= 1.0 - above;
            }
    }

    // E[max(c, largest)]
    double expected_max(std::int64_t c) const {
        double out = static_cast<double>(c), until = 0.0;
        for (std::size_t l = 0; l < values_.size(); ++l) {
            if (values_[l] > c) out += (below_[l] - until) * static_cast<double>(values_[l] - c);
            until = below_[l];
        }
        return out;
    }

    double greedy() {
        rest();
        return until_repeat(1, [&](std::int64_t) {
            std::int64_t best = -1, most = 0;
            for (std::int64_t i = 0; i < w_.n_; ++i)
                if (pay_[w_.first_[i] + state_[i]] > most) {
                    most = pay_[w_.first_[i] + state_[i]];
                    best = i;
                }
            return move(best);
        });
    }

    struct Visit {
        std::int64_t state, round, earned;
    };

    const WorstCase& w_;
    const std::int64_t* pay_ = nullptr;
    SmallOptimum optimum_;
    std::vector<std::vector<Plan>> hulls_;
    std::vector<Plan> points_;
    std::vector<Segment> segments_;
    std::vector<std::int64_t> at_;
    std::vector<std::vector<PlanOfArm>> chosen_;
    std::vector<const Plan*> drawn_;
    std::vector<std::int64_t> offset_, state_;
    std::vector<Visit> visited_;
    std::vector<std::int64_t> current_, merged_, values_;
    std::vector<double> below_;
};

void WorstCase::judge(std::span<const std::int64_t> payoffs, Policy policy,
                      std::span<Judged> out) const {
    const auto items = static_cast<std::int64_t>(out.size());
    const std::int64_t each = states_ * (n_ + 1) * 16 + (policy == Policy::none ? 0 : 2000);
    const Blocks blocks = blocks_for(items, items * each);
    parallel_blocks(blocks.count(), items * each, [&](std::int64_t block) {
        Judge judge(*this);
        for (std::int64_t b = blocks.begin(block); b < blocks.end(block); ++b)
            out[b] = judge(payoffs.data() + b * width(), policy);
    });
}

}  // namespace rlt::lsd
