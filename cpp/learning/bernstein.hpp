// The backup of UCBVI with bonuses that look at the variance of the next value:
//
//     Q_h = min{H - h, r_h + (P_hat V + min{scale_h table(n),
//                                           max{root(n) sigma, scale_h floor(n)}})},
//
// sigma^2 = P_hat V^2 - (P_hat V)^2 with V = V_{h+1}, cut at 0; H - h where n = 0. It does not fall
// when V rises, as long as floor(n) >= root(n)^2 and scale_h >= max V: docs/theory/learning.md.
// The rounding of sigma^2, some u H^2, matters only where the floor is the larger one anyway.
#pragma once

#include <utility>

#include "learning/bonus.hpp"
#include "learning/counts.hpp"

namespace rlt {

class BernsteinBackup {
public:
    static constexpr int powers = 2;

    BernsteinBackup(const Counts& x, SharedBonus bonus)
        : bonus_(std::move(bonus)),
          known_(size(x)),
          most_of_(size(x)),
          root_of_(size(x)),
          floor_of_(size(x)) {
        for (std::int64_t h = 0; h < x.H; ++h)
            for (std::int64_t pair = 0; pair < x.stride; ++pair)
                known_[static_cast<std::size_t>(h * x.stride + pair)] =
                    static_cast<double>(x.H - h);
    }

    std::int64_t most_visits() const { return bonus_->most_visits(); }

    void forbid(const Counts& x, std::int64_t h, std::int64_t pair) {
        known_[static_cast<std::size_t>(h * x.stride + pair)] = -1.0;
    }

    void observed(const Counts& x, std::int64_t h, std::int64_t pair, std::int64_t n) {
        const auto at = static_cast<std::size_t>(h * x.stride + pair);
        const auto count = static_cast<std::size_t>(n);
        const double scale = bonus_->scale[static_cast<std::size_t>(h)];
        known_[at] = x.reward(h)[pair];
        most_of_[at] = scale * bonus_->table[count];
        root_of_[at] = bonus_->root[count];
        floor_of_[at] = scale * bonus_->floor[count];
    }

    // Q of W registers of pairs of stage h from `first` on.
    template <class L, int W>
    [[gnu::always_inline]] void backup(const Counts& x, std::int64_t h, std::int64_t first,
                                       const double* const (&later)[powers], double* q) const {
        using D = typename L::Doubles;
        D sum[powers][W];
        successor_sums(x, x.successors(h) + first, x.reached(h), later, sum);
        const D cap = D{} + static_cast<double>(x.H - h);
        for (int w = 0; w < W; ++w) {
            const std::int64_t at = first + w * L::count, place = h * x.stride + at;
            D inverse, y, bonus, bound;
            load(inverse, x.inverse(h) + at);
            const D mean = sum[0][w] * inverse;
            bonus = sum[1][w] * inverse - mean * mean;
            take_max(bonus, D{});
            take_root(bonus);
            load(bound, root_of_.data() + place);
            bonus *= bound;
            load(bound, floor_of_.data() + place);
            take_max(bonus, bound);
            load(bound, most_of_.data() + place);
            take_min(bonus, bound);
            load(y, known_.data() + place);
            y += mean + bonus;
            take_min(y, cap);
            store(q + at, y);
        }
    }

private:
    static std::size_t size(const Counts& x) { return static_cast<std::size_t>(x.H * x.stride); }

    SharedBonus bonus_;
    std::vector<double> known_, most_of_, root_of_, floor_of_;
};

}  // namespace rlt
