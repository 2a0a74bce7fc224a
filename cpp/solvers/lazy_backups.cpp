#include "solvers/lazy_backups.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "solvers/certificates.hpp"
#include "support/float_mode.hpp"

namespace rlt {

double largest_magnitude(const double* x, std::int64_t n) {
    double largest = 0.0;
    for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(x[i]));
    return largest;
}

double residual_error(const ModelView& m, double discount, double largest_reward, double largest) {
    if (largest_reward == 0.0 && largest == 0.0) return 0.0;
    if (m.longest_row > longest_bounded_row) return std::numeric_limits<double>::infinity();
    const double terms = static_cast<double>(m.longest_row) + 12.0;
    const double size = largest_reward + (1.0 + discount) * largest;
    // What backup() leaves uncorrected where rows sum to 1 up to rounding.
    const double sums = m.rows_need_correction ? 0.0 : m.largest_defect * discount * largest;
    return (terms * unit_roundoff * size + sums) * (1.0 + 0x1.0p-20) + terms * 0x1.0p-1074;
}

LazyBackups::LazyBackups(const ModelView& m, double discount)
    : m_(m),
      discount_(discount),
      largest_reward_(largest_magnitude(m.reward, m.n_rows)),
      stored_(static_cast<std::size_t>(m.n_rows)),
      last_(static_cast<std::size_t>(m.n_states), 0.0) {}

// Moves the clock on to `value`; what rounding could make of a bound and a backup together.
double LazyBackups::advance(const double* value) {
    double rise = m_.has_exits ? 0.0 : -std::numeric_limits<double>::infinity();
    double largest = 0.0, doubt = 0.0;
    for (std::int64_t s = 0; s < m_.n_states; ++s) {
        double& before = last_[static_cast<std::size_t>(s)];
        rise = std::max(rise, value[s] - before);
        largest = std::max(largest, std::abs(value[s]));
        doubt += value[s] - value[s];
        before = value[s];
    }
    // Maxima pass over NaN. From here on every bound is then infinite, and no row passed over.
    if (doubt != 0.0) largest = std::numeric_limits<double>::infinity();
    if (sweeps_ > 0.0) clock_ += discount_ * rise;
    sweeps_ += 1.0;
    size_ = std::max({size_, largest_reward_ + 2.0 * largest, std::abs(clock_)});
    return 4.0 * residual_error(m_, discount_, largest_reward_, size_) +
           8.0 * (sweeps_ + 4.0) * (unit_roundoff * size_ + 0x1.0p-1074);
}

namespace {

// The probability that the row does not end, within 3u: 1/(1 + defect) is 1 - defect to 1e-18.
template <class Rows>
double going_on(const ModelView& m, const Rows& rows, std::int64_t row) {
    const double exit = rows.exit(row);
    return 1.0 - (m.defect ? exit - m.defect[row] * exit : exit);
}

}  // namespace

template <class Rows>
Extremes LazyBackups::first(const Rows& rows, const double* value, double* out,
                            std::int64_t* best) {
    // A constant c needs no row: r + discount c (1 - exit / sum).
    const bool constant =
        std::all_of(value, value + m_.n_states, [&](double x) { return x == value[0]; });
    const double ahead = discount_ * value[0];
    return over_states(m_, m_.sweep_work(), [&](std::int64_t begin, std::int64_t end) {
        Extremes e;
        for (std::int64_t s = begin; s < end; ++s) {
            double top = -std::numeric_limits<double>::infinity();
            std::int64_t arg = m_.row_begin(0, s);
            for (std::int64_t row = arg; row < m_.row_end(0, s); ++row) {
                const double q = constant ? m_.reward[row] + ahead * going_on(m_, rows, row)
                                          : next_backup(m_, rows, row, discount_, value);
                stored_[static_cast<std::size_t>(row)] = q;
                if (q > top) {
                    top = q;
                    arg = row;
                }
            }
            out[s] = top;
            best[s] = arg;
            e.see(top - value[s], top);
        }
        return e;
    });
}

template <class Rows, class Guess>
Extremes LazyBackups::later(const Rows& rows, const Guess& guess_backup, double slack,
                            const double* value, double* out, std::int64_t* best) {
    const double clock = clock_ + slack;
    return over_states(m_, m_.sweep_work(), [&](std::int64_t begin, std::int64_t end) {
        double* stored = stored_.data();
        Extremes e;
        for (std::int64_t s = begin; s < end; ++s) {
            const std::int64_t guess = best[s];
            double top = guess_backup(s, value);
            std::int64_t arg = guess;
            stored[guess] = top - clock_;
            const std::int64_t last = m_.row_end(0, s);
            for (std::int64_t row = m_.row_begin(0, s); row < last; ++row) {
                if (stored[row] + clock < top || row == guess) continue;
                const double q = backup(m_, rows, row, discount_, value);
                stored[row] = q - clock_;
                if (q > top || (q == top && row < arg)) {
                    top = q;
                    arg = row;
                }
            }
            out[s] = top;
            best[s] = arg;
            e.see(top - value[s], top);
        }
        return e;
    });
}

Extremes LazyBackups::sweep(const double* value, double* out, std::int64_t* best,
                            const PolicyRows* policy) {
    const StandardFloatMode mode;
    const bool begun = sweeps_ > 0.0;
    const double slack = advance(value);
    if (!std::isfinite(slack + clock_))  // overflow: nothing can be ruled out
        std::fill(stored_.begin(), stored_.end(), std::numeric_limits<double>::infinity());
    return with_rows(m_, [&](const auto& rows) {
        if (!begun) return first(rows, value, out, best);
        if (policy)
            return policy->with_backup(rows, discount_, [&](const auto& backup_of) {
                return later(rows, backup_of, slack, value, out, best);
            });
        return later(
            rows,
            [&](std::int64_t s, const double* v) {
                return backup(m_, rows, best[s], discount_, v);
            },
            slack, value, out, best);
    });
}

}  // namespace rlt
