#include "solvers/certificates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "solvers/row_residual.hpp"
#include "support/float_mode.hpp"
#include "support/outward.hpp"
#include "support/parallel.hpp"
#include "support/room.hpp"

namespace rlt {

namespace {

constexpr double u = 0x1.0p-53;
constexpr double infinity = std::numeric_limits<double>::infinity();

struct Bounded {
    double value;
    double error;

    bool finite() const { return std::isfinite(value) && std::isfinite(error); }
};

// T1: |value - (T_a w - w_s)| <= error.
template <class Rows>
inline Bounded residual_of_row(const ModelView& m, const Rows& rows, std::int64_t row,
                               double discount, const double* next, const double* magnitude,
                               double own) {
    const double r = m.reward[row];
    const double d = rows.next_dot(row, next);
    // Of values of one sign the sum of magnitudes is the magnitude of the sum.
    const double a = magnitude ? rows.dot(row, magnitude) : std::abs(d);
    const double e = m.defect ? d - m.defect[row] * d : d;
    const double c = (r + discount * e) - own;
    if (a == 0.0 && r == 0.0 && own == 0.0 && all_zero(rows, row, next)) return {0.0, 0.0};
    const double terms = static_cast<double>(rows.terms(row)) + 8.0;
    const double size = std::abs(r) + discount * a + std::abs(own);
    return {c, with_underflow(terms * u * size, terms, 0x1.0p-1074)};
}

}  // namespace

ResidualBounds joined(const std::vector<ResidualBounds>& parts) {
    ResidualBounds all{infinity, -infinity, true};
    for (const ResidualBounds& part : parts) {
        all.low = std::min(all.low, part.low);
        all.high = std::max(all.high, part.high);
        all.finite = all.finite && part.finite;
    }
    // Minima and maxima were taken of differences rounded once: a step outward makes them
    // bounds. A difference that rounds to 0 is exactly 0 (gradual underflow).
    if (all.low != 0.0) all.low = std::nextafter(all.low, -infinity);
    if (all.high != 0.0) all.high = std::nextafter(all.high, infinity);
    return all;
}

ResidualBounds residuals(const ModelView& m, std::int64_t stage, double discount,
                         const double* next, const double* own, const std::int64_t* policy) {
    const StandardFloatMode mode;
    const auto all_of = [&](auto&& holds) { return std::all_of(next, next + m.n_states, holds); };
    const bool one_sign =
        all_of([](double x) { return x >= 0.0; }) || all_of([](double x) { return x <= 0.0; });
    Room<double> magnitudes;
    if (!one_sign) {
        magnitudes.resize(static_cast<std::size_t>(m.n_states));
        std::transform(next, next + m.n_states, magnitudes.begin(),
                       [](double x) { return std::abs(x); });
    }
    const double* magnitude = magnitudes.empty() ? nullptr : magnitudes.data();
    const Blocks blocks = blocks_for(m.n_states, 2 * m.sweep_work());
    std::vector<ResidualBounds> parts(static_cast<std::size_t>(blocks.count()),
                                      {infinity, -infinity, true});
    with_rows(m, [&](const auto& rows) {
        parallel_blocks(blocks.count(), 2 * m.sweep_work(), [&](std::int64_t b) {
            ResidualBounds& part = parts[static_cast<std::size_t>(b)];
            for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
                for (std::int64_t row = m.row_begin(stage, s); row < m.row_end(stage, s); ++row) {
                    const Bounded c =
                        residual_of_row(m, rows, row, discount, next, magnitude, own[s]);
                    part.finite = part.finite && c.finite();
                    part.high = std::max(part.high, c.value + c.error);
                    if (row == policy[s]) part.low = std::min(part.low, c.value - c.error);
                }
            }
        });
    });
    ResidualBounds all = joined(parts);
    all.finite = all.finite && m.longest_row <= longest_bounded_row;
    return all;
}

ResidualBounds residuals(const ModelView& m, std::int64_t stage, double discount, WitnessView next,
                         WitnessView own, const std::int64_t* policy, double* residual,
                         std::int64_t* better) {
    const StandardFloatMode mode;
    const std::int64_t work = 20 * m.sweep_work();
    const Blocks blocks = blocks_for(m.n_states, work);
    std::vector<ResidualBounds> parts(static_cast<std::size_t>(blocks.count()),
                                      {infinity, -infinity, true});
    with_rows(m, [&](const auto& rows) {
        parallel_blocks(blocks.count(), work, [&](std::int64_t b) {
            ResidualBounds& part = parts[static_cast<std::size_t>(b)];
            for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
                const double head = own.head[s], tail = own.tail ? own.tail[s] : 0.0;
                const PreciseResidual present =
                    precise_residual(m, rows, policy[s], discount, next, head, tail);
                part.finite = part.finite && present.finite();
                part.low = std::min(part.low, present.low());
                part.high = std::max(part.high, present.high());
                PreciseResidual best = present;
                std::int64_t best_row = policy[s];
                for (std::int64_t row = m.row_begin(stage, s); row < m.row_end(stage, s); ++row) {
                    if (row == policy[s]) continue;
                    const PreciseResidual c =
                        precise_residual(m, rows, row, discount, next, head, tail);
                    part.finite = part.finite && c.finite();
                    part.high = std::max(part.high, c.high());
                    if (c.plain > best.plain) {
                        best = c;
                        best_row = row;
                    }
                }
                if (residual) residual[s] = present.plain;
                if (better) better[s] = surely_better(best, present) ? best_row : policy[s];
            }
        });
    });
    return joined(parts);
}

void backup_double_double(const ModelView& m, std::int64_t stage, WitnessView next, double* head,
                          double* tail, std::int64_t* best_rows) {
    const std::int64_t work = 20 * m.sweep_work();
    const Blocks blocks = blocks_for(m.n_states, work);
    with_rows(m, [&](const auto& rows) {
        parallel_blocks(blocks.count(), work, [&](std::int64_t b) {
            for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
                DoubleDouble best{-infinity, 0.0};
                std::int64_t arg = m.row_begin(stage, s);
                for (std::int64_t row = arg; row < m.row_end(stage, s); ++row) {
                    const RowSum sum = sum_row(rows, row, next);
                    // 1/sigma = 1 - delta + delta^2 - ...; delta^3 is below 2^-89 relative.
                    const DoubleDouble minus{-sum.delta.high, -sum.delta.low};
                    const DoubleDouble square = sum.delta * sum.delta;
                    const DoubleDouble mean = sum.dot + sum.dot * (minus + square);
                    const DoubleDouble q = mean + m.reward[row];
                    if (q.high > best.high || (q.high == best.high && q.low > best.low)) {
                        best = q;
                        arg = row;
                    }
                }
                head[s] = best.high;
                tail[s] = best.low;
                best_rows[s] = arg;
            }
        });
    });
}

void add_correction(std::int64_t n, double* head, double* tail, const double* correction) {
    for (std::int64_t s = 0; s < n; ++s) {
        const DoubleDouble w = DoubleDouble{head[s], tail[s]} + correction[s];
        head[s] = w.high;
        tail[s] = w.low;
    }
}

double largest_gap(std::int64_t n, const double* lower, const double* upper) {
    const StandardFloatMode mode;
    double largest = 0.0;
    for (std::int64_t s = 0; s < n; ++s) {
        if (!std::isfinite(lower[s]) || !std::isfinite(upper[s])) return infinity;
        const DoubleDouble gap = two_sum(upper[s], -lower[s]);
        if (!std::isfinite(gap.high)) return infinity;
        const double width = gap.low > 0.0 ? std::nextafter(gap.high, infinity) : gap.high;
        if (width > largest) largest = width;  // a width of -0 is none
    }
    return largest;
}

namespace {

template <class F>
void round_each(std::int64_t n, WitnessView witness, F&& shifts, double* lower, double* upper) {
    const Blocks blocks = blocks_for(n, 40 * n);
    parallel_blocks(blocks.count(), 40 * n, [&](std::int64_t b) {
        for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
            const double tail = witness.tail ? witness.tail[s] : 0.0;
            const auto [below, above] = shifts(s);
            lower[s] = sum_rounded_down(witness.head[s], tail, below);
            upper[s] = sum_rounded_up(witness.head[s], tail, above);
        }
    });
}

}  // namespace

void round_outward(std::int64_t n, WitnessView witness, double lower_shift, double upper_shift,
                   double* lower, double* upper) {
    const std::pair<double, double> shifts{lower_shift, upper_shift};
    round_each(n, witness, [&](std::int64_t) { return shifts; }, lower, upper);
}

void round_outward(std::int64_t n, WitnessView witness, const double* lower_shift,
                   const double* upper_shift, double* lower, double* upper) {
    const auto shifts = [&](std::int64_t s) {
        return std::pair<double, double>{lower_shift[s], upper_shift[s]};
    };
    round_each(n, witness, shifts, lower, upper);
}

}  // namespace rlt
