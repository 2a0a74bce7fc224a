#include "topics/lsd_bandits/learner.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace rlt::lsd::learner {

// Slopes that differ by no more are the same up to rounding; a point dropped for that changes the
// value by no more.
constexpr double straight = 1e-12;

Relaxer::Relaxer(const Arms<double>& arms, const Plans& plans) : arms_(arms), plans_(plans) {
    const std::size_t count = plans.step_first.size() - 1;
    rate_.resize(count);
    order_.resize(count);
    std::iota(order_.begin(), order_.end(), 0);
    for (std::size_t p = 0; p < count; ++p) {
        std::int32_t plays = 0;
        for (std::int32_t j = plans.step_first[p]; j < plans.step_first[p + 1]; ++j)
            plays += plans.played[j];
        rate_[p] = static_cast<double>(plays) / plans.period(p);
    }
    for (std::int64_t i = 0; i < arms.count(); ++i)
        std::stable_sort(order_.begin() + plans.arm_first[i],
                         order_.begin() + plans.arm_first[i + 1],
                         [this](std::int32_t a, std::int32_t b) {
                             if (rate_[a] != rate_[b]) return rate_[a] < rate_[b];
                             return plans_.period(a) < plans_.period(b);
                         });
    corner_.reserve(count + 1);
    q_.reserve(count + 1);
    v_.reserve(count + 1);
    segments_.reserve(count);
}

void Relaxer::hull(std::int64_t arm, const double* index) {
    corner_.assign(1, -1);
    q_.assign(1, 0.0);
    v_.assign(1, 0.0);
    const double* own = index + arms_.first[arm];
    for (std::int32_t o = plans_.arm_first[arm]; o < plans_.arm_first[arm + 1]; ++o) {
        const std::int32_t p = order_[o];
        double paid = 0.0;
        for (std::int32_t j = plans_.step_first[p]; j < plans_.step_first[p + 1]; ++j)
            if (plans_.played[j]) paid += own[plans_.state[j]];
        const double q = rate_[p];
        const double v = paid / plans_.period(p);
        if (q == q_.back()) {
            if (v <= v_.back()) continue;
            corner_.pop_back();
            q_.pop_back();
            v_.pop_back();
        }
        while (q_.size() > 1) {
            const std::size_t k = q_.size() - 1;
            const double before = (v_[k] - v_[k - 1]) / (q_[k] - q_[k - 1]);
            if (before > (v - v_[k]) / (q - q_[k]) + straight) break;
            corner_.pop_back();
            q_.pop_back();
            v_.pop_back();
        }
        corner_.push_back(p);
        q_.push_back(q);
        v_.push_back(v);
    }
    for (std::size_t k = 1; k < q_.size(); ++k) {
        const double length = q_[k] - q_[k - 1];
        const double slope = (v_[k] - v_[k - 1]) / length;
        if (slope <= straight) break;
        segments_.push_back(
            {slope, length, static_cast<std::int32_t>(arm), corner_[k - 1], corner_[k]});
    }
}

double Relaxer::solve(const double* index, std::vector<Mixture>& mixtures) {
    mixtures.assign(arms_.count(), {});
    segments_.clear();
    for (std::int64_t i = 0; i < arms_.count(); ++i) hull(i, index);
    std::sort(segments_.begin(), segments_.end(), [](const Segment& a, const Segment& b) {
        return a.slope != b.slope ? a.slope > b.slope : a.arm < b.arm;
    });
    double left = 1.0, value = 0.0;
    for (const Segment& s : segments_) {
        if (left <= 0.0) break;
        const double share = std::min(1.0, left / s.length);
        mixtures[s.arm] = {s.lower, s.upper, share};
        value += s.slope * s.length * share;
        left -= s.length;
    }
    return value;
}

Copies::Copies(const Arms<double>& arms, const Plans& plans)
    : arms_(arms), plans_(plans), plan_(arms.count(), -1), phase_(arms.count(), 0) {}

void Copies::draw(const std::vector<Mixture>& mixtures, const double* uniforms) {
    for (std::int64_t i = 0; i < arms_.count(); ++i) {
        const Mixture& m = mixtures[i];
        const std::int32_t plan = uniforms[2 * i] < m.share ? m.upper : m.lower;
        const double period = plan < 0 ? 0.0 : plans_.period(plan);
        follow(i, plan, static_cast<std::int32_t>(uniforms[2 * i + 1] * period));
    }
}

void Copies::follow(std::int64_t arm, std::int32_t plan, std::int32_t offset) {
    plan_[arm] = plan;
    phase_[arm] = offset;
}

std::int32_t Copies::next(const double* index) {
    std::int32_t winner = -1;
    double best = -1.0;
    for (std::int64_t i = 0; i < arms_.count(); ++i) {
        const std::int32_t p = plan_[i];
        if (p < 0) continue;
        const std::int32_t j = plans_.step_first[p] + phase_[i];
        if (plans_.played[j]) {
            const double v = index[arms_.first[i] + plans_.state[j]];
            if (v > best) {
                best = v;
                winner = static_cast<std::int32_t>(i);
            }
        }
        if (++phase_[i] == plans_.period(p)) phase_[i] = 0;
    }
    return winner;
}

bool Copies::dominated(const std::int32_t* state) const {
    for (std::int64_t i = 0; i < arms_.count(); ++i)
        if (plan_[i] >= 0 && state[i] < plans_.state[plans_.step_first[plan_[i]] + phase_[i]])
            return false;
    return true;
}

void play_round(const Arms<double>& arms, std::int32_t* state, std::int32_t action, double noise,
                std::int64_t t, const Record& record) {
    record.action[t] = action;
    record.reward[t] = 0;
    record.mean[t] = 0.0;
    for (std::int64_t i = 0; i < arms.count(); ++i) {
        const std::int64_t s = arms.first[i] + state[i];
        if (i == action) {
            const double p = arms.payoffs[s];
            record.mean[t] = p;
            record.reward[t] = noise < p;
            ++record.plays[s];
            record.successes[s] += record.reward[t];
            state[i] = arms.play_next[s];
        } else {
            state[i] = arms.rest_next[s];
        }
    }
}

void play(const Arms<double>& arms, std::int32_t* state, std::int64_t rounds, const double* noise,
          const Record& record) {
    for (std::int64_t t = 0; t < rounds; ++t)
        play_round(arms, state, record.action[t], noise[t], t, record);
}

namespace {

// min(1, mean + radius), then the largest nondecreasing function below it.
void upper_index(const Arms<double>& arms, double width, const Record& record, double* index) {
    for (std::int64_t i = 0; i < arms.count(); ++i) {
        double above = 1.0;
        for (std::int64_t s = arms.first[i + 1] - 1; s >= arms.first[i]; --s) {
            const auto n = static_cast<double>(record.plays[s]);
            if (n > 0.0)
                above = std::min(
                    above, static_cast<double>(record.successes[s]) / n + width / std::sqrt(n));
            index[s] = above;
        }
    }
}

}  // namespace

std::int64_t framed_ucb(const Arms<double>& arms, const Plans& plans, const FramedRun& run,
                        std::int64_t rounds, std::int32_t* state, const Record& record,
                        double* upper) {
    Relaxer relaxer(arms, plans);
    Copies copies(arms, plans);
    std::vector<Mixture> mixtures(arms.count());
    std::vector<double> index(arms.payoffs.size());
    std::int64_t below = 0, t = 0;
    for (std::int64_t f = 0; t < rounds; ++f) {
        const std::int64_t end = std::min(rounds, (f + 1) * run.frame);
        upper_index(arms, run.width, record, index.data());
        upper[f] = relaxer.solve(index.data(), mixtures);
        const std::int64_t rests = f > 0 || run.rest_first ? run.recovery : 0;
        for (const std::int64_t rested = std::min(end, t + rests); t < rested; ++t)
            play_round(arms, state, -1, run.noise[t], t, record);
        copies.draw(mixtures, run.draws + 2 * arms.count() * f);
        for (; t < end; ++t) {
            below += !copies.dominated(state);
            play_round(arms, state, copies.next(index.data()), run.noise[t], t, record);
        }
    }
    return below;
}

double committed(const Arms<double>& arms, const Plans& plans, const double* index,
                 const std::int32_t* state, std::int64_t rounds, std::int64_t memory,
                 std::int64_t most) {
    const std::int64_t n = arms.count();
    Relaxer relaxer(arms, plans);
    std::vector<Mixture> mixtures(n);
    relaxer.solve(index, mixtures);
    struct Option {
        std::int32_t plan, offset;
        double weight;
    };
    std::vector<std::vector<Option>> options(n);
    std::int64_t hyper = 1;
    double tuples = 1.0;
    for (std::int64_t i = 0; i < n; ++i) {
        const Mixture& m = mixtures[i];
        for (const auto& [plan, share] :
             {std::pair(m.lower, 1.0 - m.share), std::pair(m.upper, m.share)}) {
            if (share <= 0.0) continue;
            const std::int32_t period = plan < 0 ? 1 : plans.period(plan);
            for (std::int32_t o = 0; o < period; ++o)
                options[i].push_back({plan, o, share / period});
            hyper = std::lcm(hyper, static_cast<std::int64_t>(period));
            if (hyper > most) throw std::length_error("the periods' common multiple is too long");
        }
        tuples *= static_cast<double>(options[i].size());
    }
    // After `memory` rounds of a periodic sequence of plays, states are periodic too.
    const std::int64_t burn = hyper * ((memory + hyper - 1) / hyper);
    const bool direct = rounds <= burn + hyper;
    const std::int64_t simulated = direct ? rounds : burn + hyper;
    if (tuples * static_cast<double>(simulated) > static_cast<double>(most))
        throw std::length_error("there are too many plans and offsets");
    const std::int64_t rest = direct ? 0 : (rounds - burn) % hyper;
    const auto cycles = direct ? 0.0 : static_cast<double>((rounds - burn) / hyper);
    Copies copies(arms, plans);
    std::vector<std::int32_t> now(n);
    std::vector<std::size_t> at(n, 0);
    double mean = 0.0;
    for (bool more = true; more;) {
        double weight = 1.0;
        for (std::int64_t i = 0; i < n; ++i) {
            const Option& option = options[i][at[i]];
            weight *= option.weight;
            copies.follow(i, option.plan, option.offset);
            now[i] = state[i];
        }
        double first = 0.0, cycle = 0.0, last = 0.0;
        for (std::int64_t t = 0; t < simulated; ++t) {
            const std::int32_t winner = copies.next(index);
            double paid = 0.0;
            for (std::int64_t i = 0; i < n; ++i) {
                const std::int64_t s = arms.first[i] + now[i];
                if (i == winner) paid = arms.payoffs[s];
                now[i] = i == winner ? arms.play_next[s] : arms.rest_next[s];
            }
            if (direct || t < burn) {
                first += paid;
            } else {
                cycle += paid;
                if (t < burn + rest) last += paid;
            }
        }
        mean += weight * (first + cycles * cycle + last);
        more = false;
        for (std::int64_t i = n - 1; i >= 0 && !more; --i) {
            more = ++at[i] < options[i].size();
            if (!more) at[i] = 0;
        }
    }
    return mean;
}

}  // namespace rlt::lsd::learner
