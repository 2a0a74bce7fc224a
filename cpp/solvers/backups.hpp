// What the kernels that sweep over states share: the best row of a state, and the extremes of how
// much a sweep changed.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "model/view.hpp"
#include "support/float_mode.hpp"
#include "support/parallel.hpp"

namespace rlt {

inline constexpr double unit_roundoff = 0x1.0p-53;

struct Extremes {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    double magnitude = 0.0;  // max |new value|
    double doubt = 0.0;      // NaN once a change is not finite: minima and maxima pass over NaN

    void see(double change, double value) {
        low = std::min(low, change);
        high = std::max(high, change);
        magnitude = std::max(magnitude, std::abs(value));
        doubt += change - change;
    }
    void join(const Extremes& other) {
        low = std::min(low, other.low);
        high = std::max(high, other.high);
        magnitude = std::max(magnitude, other.magnitude);
        doubt += other.doubt;
    }
    // NaN where a change was not finite.
    double width() const { return (high - low) + doubt; }
    void allow_exits() {
        low = std::min(low, 0.0);
        high = std::max(high, 0.0);
    }
};

// Runs f(begin, end) -> Extremes over fixed blocks of so many items and joins the results.
template <class F>
Extremes over_items(std::int64_t items, std::int64_t work, F&& f) {
    const Blocks blocks = blocks_for(items, work);
    if (blocks.count() == 1) {
        const StandardFloatMode mode;
        return f(std::int64_t{0}, items);
    }
    std::vector<Extremes> found(static_cast<std::size_t>(blocks.count()));
    parallel_blocks(blocks.count(), work, [&](std::int64_t b) {
        found[static_cast<std::size_t>(b)] = f(blocks.begin(b), blocks.end(b));
    });
    Extremes all;
    for (const Extremes& e : found) all.join(e);
    return all;
}

template <class F>
Extremes over_states(const ModelView& m, std::int64_t work, F&& f) {
    return over_items(m.n_states, work, std::forward<F>(f));
}

template <class Rows>
inline double best_backup(const ModelView& m, const Rows& rows, std::int64_t stage, std::int64_t s,
                          double discount, const double* value, std::int64_t* best_row) {
    double best = -std::numeric_limits<double>::infinity();
    std::int64_t arg = m.row_begin(stage, s);
    const std::int64_t end = m.row_end(stage, s);
    std::int64_t row = arg;
    const auto see = [&](std::int64_t which, double x) {
        if (x > best) {
            best = x;
            arg = which;
        }
    };
    if constexpr (std::is_same_v<Rows, DenseRows>) {
        for (; row + 4 <= end; row += 4) {
            double dots[4];
            dense_dots(rows.prob + row * rows.n, rows.n, value, rows.n, dots);
            for (int i = 0; i < 4; ++i) see(row + i, backup_of_dot(m, row + i, discount, dots[i]));
        }
        // Two or three rows at once are slower than four, and those of the next state are read
        // next.
        if (end - row > 1 && row + 4 <= m.n_rows && rows.n >= far_row) {
            double dots[4];
            dense_dots(rows.prob + row * rows.n, rows.n, value, rows.n, dots);
            for (int i = 0; row < end; ++i, ++row)
                see(row, backup_of_dot(m, row, discount, dots[i]));
        }
    }
    for (; row < end; ++row) see(row, next_backup(m, rows, row, discount, value));
    if (best_row) *best_row = arg;
    return best;
}

}  // namespace rlt
