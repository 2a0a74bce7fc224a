// The backup of UCBVI with Hoeffding bonuses:
//
//     Q_h = min{H - h, (r_h + scale_h table(n)) + P_hat_h V_{h+1}},    H - h where n = 0.
//
// The caller gives the bonus as a table over counts and a vector over stages.
#pragma once

#include <utility>

#include "learning/bonus.hpp"
#include "learning/counts.hpp"

namespace rlt {

class HoeffdingBackup {
public:
    static constexpr int powers = 1;  // of V_{h+1} that a backup looks at

    HoeffdingBackup(const Counts& x, SharedBonus bonus)
        : bonus_(std::move(bonus)), known_(static_cast<std::size_t>(x.H * x.stride)) {
        for (std::int64_t h = 0; h < x.H; ++h)
            for (std::int64_t pair = 0; pair < x.stride; ++pair)
                known_[static_cast<std::size_t>(h * x.stride + pair)] =
                    static_cast<double>(x.H - h);
    }

    std::int64_t most_visits() const { return bonus_->most_visits(); }

    // An action that a state does not have is never the best.
    void forbid(const Counts& x, std::int64_t h, std::int64_t pair) {
        known_[static_cast<std::size_t>(h * x.stride + pair)] = -1.0;
    }

    void observed(const Counts& x, std::int64_t h, std::int64_t pair, std::int64_t n) {
        known_[static_cast<std::size_t>(h * x.stride + pair)] =
            x.reward(h)[pair] +
            bonus_->scale[static_cast<std::size_t>(h)] * bonus_->table[static_cast<std::size_t>(n)];
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
            const std::int64_t at = first + w * L::count;
            D inverse, known;
            load(inverse, x.inverse(h) + at);
            load(known, known_.data() + h * x.stride + at);
            D y = known + sum[0][w] * inverse;
            take_min(y, cap);
            store(q + at, y);
        }
    }

private:
    SharedBonus bonus_;
    std::vector<double> known_;  // r + bonus of every pair
};

}  // namespace rlt
