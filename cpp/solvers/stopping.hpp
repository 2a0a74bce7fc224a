// When a sequence of sweeps is over: the MacQueen bracket of the last change, and the signs that
// more sweeps would not help.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "model/view.hpp"
#include "solvers/backups.hpp"
#include "solvers/sweeps.hpp"

namespace rlt {

// Decides when a sequence of sweeps is over.
class Stop {
public:
    Stop(const ModelView& m, double discount, Target target)
        : discount_(discount),
          target_(target),
          noise_(4.0 * static_cast<double>(m.longest_row + 8) * unit_roundoff) {}

    double width(const Extremes& e) const { return discount_ * e.width() / (1.0 - discount_); }

    bool reached(const Extremes& e) const {
        return width(e) <= std::max(target_.absolute, target_.relative * e.magnitude);
    }

    // What is left is rounding, or more sweeps were made than the contraction needs.
    bool stalled(const Extremes& e, std::int64_t sweeps) {
        if (!std::isfinite(e.width())) return true;
        const double change = std::max(std::abs(e.low), std::abs(e.high));
        if (e.width() <= noise_ * e.magnitude || change == 0.0) return true;
        if (sweeps == 1) {
            const double wanted =
                std::max({target_.absolute, target_.relative * e.magnitude, 1e-17 * change});
            const double need = std::log(0.25 * wanted * (1.0 - discount_) / change);
            cap_ = need >= 0.0 ? 16.0 : 16.0 + need / std::log(discount_);
        }
        return static_cast<double>(sweeps) > cap_;
    }

    // Twice as many sweeps as value iteration would need.
    bool exhausted(std::int64_t sweeps) const { return static_cast<double>(sweeps) > 2.0 * cap_; }

private:
    double discount_;
    Target target_;
    double noise_;
    double cap_ = 0.0;
};

// Centres the value in its bracket. Not where rows may end: there a constant is not passed on,
// and would leave a residual of its own size.
inline void shift(const ModelView& m, double discount, const Extremes& e, double* value) {
    if (m.has_exits) return;
    const double c = discount / (1.0 - discount) * (0.5 * (e.low + e.high));
    for (std::int64_t s = 0; s < m.n_states; ++s) value[s] += c;
}

// Repeats sweep(now, next) -> Extremes from `value`, and leaves the last, centred value in it.
template <class F>
Iterations iterate(const ModelView& m, double discount, Target target, double* value,
                   const Monitor& monitor, F&& sweep) {
    Stop stop(m, discount, target);
    std::vector<double> other(static_cast<std::size_t>(m.n_states));
    double* now = value;
    double* next = other.data();
    Iterations result;
    for (;;) {
        Extremes e = sweep(now, next);
        ++result.sweeps;
        std::swap(now, next);
        if (m.has_exits) e.allow_exits();
        result.converged = stop.reached(e);
        if (result.converged || stop.stalled(e, result.sweeps)) {
            if (now != value) std::copy_n(now, m.n_states, value);
            shift(m, discount, e, value);
            return result;
        }
        monitor();
    }
}

}  // namespace rlt
