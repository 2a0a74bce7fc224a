#include "topics/lsd_bandits/small_relaxation.hpp"

#include <algorithm>

namespace rlt::lsd {

namespace {

// Differences of rates and of rewards per round, times both periods.
std::int64_t steps(const SmallPlan& from, const SmallPlan& to) {
    return to.plays * from.period() - from.plays * to.period();
}
std::int64_t gain(const SmallPlan& from, const SmallPlan& to) {
    return to.reward * from.period() - from.reward * to.period();
}

}  // namespace

SmallRelaxation::SmallRelaxation(const SmallBandits& shape)
    : w_(shape), hulls_(shape.arms()), chosen_(shape.arms()) {}

Ratio SmallRelaxation::solve(const std::int64_t* pay) {
    segments_.clear();
    for (std::int64_t i = 0; i < w_.arms(); ++i) {
        hull(i, pay);
        for (std::size_t j = 0; j + 1 < hulls_[i].size(); ++j) {
            const SmallPlan &from = hulls_[i][j], &to = hulls_[i][j + 1];
            segments_.push_back({gain(from, to), steps(from, to), i, static_cast<std::int64_t>(j)});
        }
    }
    return choose(fill());
}

// From (0, 0) always to the steepest point ahead, of equally steep ones to the farthest, until none
// is higher; among blocks at one point the shortest.
void SmallRelaxation::hull(std::int64_t arm, const std::int64_t* pay) {
    const std::int64_t* p = pay + w_.first(arm) + w_.plays(arm);  // p[n - 1], p[-m]
    points_.clear();
    for (std::int32_t n = 1; n <= w_.rests(arm); ++n) {
        std::int64_t reward = p[n - 1];
        for (std::int32_t m = 1; m <= w_.plays(arm); ++m) {
            points_.push_back({n, m, reward});
            reward += p[-m];
        }
    }
    points_.push_back({0, 1, p[-w_.plays(arm)]});
    auto& hull = hulls_[arm];
    hull.assign(1, SmallPlan{});
    while (true) {
        const SmallPlan at = hull.back();
        const SmallPlan* best = nullptr;
        for (const SmallPlan& x : points_) {
            const std::int64_t run = steps(at, x);
            if (run <= 0) continue;
            if (best == nullptr) {
                best = &x;
                continue;
            }
            const std::int64_t steeper = gain(at, x) * steps(at, *best) - gain(at, *best) * run;
            const std::int64_t farther = steps(*best, x);
            if (steeper > 0 ||
                (steeper == 0 && (farther > 0 || (farther == 0 && x.period() < best->period()))))
                best = &x;
        }
        if (best == nullptr || gain(at, *best) <= 0) return;
        hull.push_back(*best);
    }
}

// Segments of all hulls by decreasing slope, the lowest arm first, until one play a round is used
// up.
SmallRelaxation::Mixing SmallRelaxation::fill() {
    std::stable_sort(segments_.begin(), segments_.end(), [](const Segment& x, const Segment& y) {
        return x.rise * y.run > y.rise * x.run;
    });
    at_.assign(w_.arms(), 0);
    Ratio left{1, 1};
    for (const Segment& segment : segments_) {
        const SmallPlan& from = hulls_[segment.arm][segment.index];
        const SmallPlan& to = hulls_[segment.arm][segment.index + 1];
        const Ratio length = reduced(segment.run, from.period() * to.period());
        if (less(left, length))
            return {segment.arm, reduced(left.numerator * length.denominator,
                                         left.denominator * length.numerator)};
        left = reduced(left.numerator * length.denominator - length.numerator * left.denominator,
                       left.denominator * length.denominator);
        at_[segment.arm] = segment.index + 1;
        if (left.numerator == 0) break;
    }
    return {};
}

// Fills chosen_; the value.
Ratio SmallRelaxation::choose(const Mixing& mixing) {
    Ratio value{0, 1};
    const auto add = [&](std::int64_t numerator, std::int64_t denominator) {
        value = reduced(value.numerator * denominator + numerator * value.denominator,
                        value.denominator * denominator);
    };
    const Ratio& share = mixing.share;
    for (std::int64_t i = 0; i < w_.arms(); ++i) {
        chosen_[i].clear();
        const SmallPlan& plan = hulls_[i][at_[i]];
        const bool mixes = i == mixing.arm;
        const double part =
            mixes ? static_cast<double>(share.numerator) / static_cast<double>(share.denominator)
                  : 0.0;
        add(plan.reward, plan.period());
        if (plan.plays > 0) chosen_[i].push_back({plan, 1.0 - part});
        if (!mixes) continue;
        const SmallPlan& after = hulls_[i][at_[i] + 1];
        const Ratio rise = reduced(gain(plan, after), plan.period() * after.period());
        const Ratio added =
            reduced(rise.numerator * share.numerator, rise.denominator * share.denominator);
        add(added.numerator, added.denominator);
        chosen_[i].push_back({after, part});
    }
    return value;
}

}  // namespace rlt::lsd
