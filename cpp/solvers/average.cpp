#include "solvers/average.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "solvers/row_residual.hpp"
#include "solvers/row_sums.hpp"
#include "support/float_mode.hpp"
#include "support/parallel.hpp"

namespace rlt {

namespace {

constexpr double u = 0x1.0p-53;
constexpr double infinity = std::numeric_limits<double>::infinity();

// A row keeps the gain when what it gains and loses cancels to this share: rounding of gains.
constexpr double same_gain = 0x1.0p-30;

struct Extremes {
    double low = infinity;
    double high = -infinity;
    double magnitude = 0.0;
};

struct Step {
    double change = 0.0;     // sum p (g_j - g_s)
    double magnitude = 0.0;  // sum p |g_j - g_s|

    bool keeps() const { return std::abs(change) <= same_gain * magnitude; }
    bool raises() const { return change > same_gain * magnitude; }
};

template <class Rows>
Step step_of(const Rows& rows, std::int64_t row, const double* gain, double own) {
    Step step;
    rows.each(row, [&](std::int32_t j, double p) {
        const double d = gain[j] - own;
        step.change += p * d;
        step.magnitude += p * std::abs(d);
    });
    return step;
}

// r + P h of one row, and what rounding can do to it.
struct Worth {
    double value;
    double noise;
};

template <class Rows>
Worth worth(const ModelView& m, const Rows& rows, std::int64_t row, const double* bias,
            const double* magnitude) {
    const double noise = 8.0 * static_cast<double>(rows.terms(row) + 8) * u;
    return {backup(m, rows, row, 1.0, bias),
            noise * (std::abs(m.reward[row]) + rows.dot(row, magnitude))};
}

DoubleDouble difference(WitnessView x, std::int64_t j, double head, double tail) {
    const DoubleDouble other{x.head[j], x.tail ? x.tail[j] : 0.0};
    return other + DoubleDouble{-head, -tail};
}

// D = sum p (g_j - g_s), its error bound, and V = sum p (scale (g_j - g_s))^2.
struct PreciseStep {
    DoubleDouble change;
    double error = 0.0;
    double variance = 0.0;
    double sum = 0.0;
    bool internal = true;
};

template <class Rows>
PreciseStep precise_step(const Rows& rows, std::int64_t row, WitnessView gain, double scale,
                         double head, double tail) {
    PreciseStep step;
    double magnitude = 0.0;
    rows.each(row, [&](std::int32_t j, double p) {
        step.sum += p;
        if (gain.head[j] == head && (!gain.tail || gain.tail[j] == tail)) return;
        step.internal = false;
        const DoubleDouble d = difference(gain, j, head, tail);
        step.change = step.change + p * d;
        magnitude += p * std::abs(d.high);
        const double length = scale * d.high;
        step.variance += p * length * length;
    });
    // As T2: differences are within 3u^2, products within 5u^2, sums within 3u^2 a term.
    const double terms = static_cast<double>(rows.terms(row));
    step.error =
        with_underflow((4.0 * terms + 40.0) * (u * u) * magnitude, terms + 8.0, 0x1.0p-1070);
    step.error *= 1.0 + 0x1.0p-50;
    return step;
}

template <class Rows>
bool internal(const Rows& rows, std::int64_t row, WitnessView gain, double head, double tail) {
    bool same = true;
    rows.each(row, [&](std::int32_t j, double) {
        same = same && gain.head[j] == head && (!gain.tail || gain.tail[j] == tail);
    });
    return same;
}

// T2 with one more double-double, the gain, beside the reward.
template <class Rows>
PreciseResidual residual_of(const ModelView& m, const Rows& rows, std::int64_t row,
                            WitnessView bias, DoubleDouble gain, DoubleDouble own) {
    const double r = m.reward[row];
    const RowSum s = sum_row(rows, row, bias);
    const double size = std::abs(r) + std::abs(gain.high) + s.magnitude + std::abs(own.high);
    if (size == 0.0 && all_zero(rows, row, bias.head)) return {{}, 0.0, 0.0};
    DoubleDouble y = two_sum(r, -own.high) + (-own.low);
    y = y + DoubleDouble{-gain.high, -gain.low};
    y = y + y * s.delta;
    const DoubleDouble scaled = y + s.dot;
    const double terms = static_cast<double>(rows.terms(row));
    const double error =
        with_underflow((4.0 * terms + 40.0) * (u * u) * size, terms + 8.0, 0x1.0p-1070);
    return {scaled, error * (1.0 + 0x1.0p-50), scaled.high / (1.0 + s.delta.high) + scaled.low};
}

}  // namespace

RelativeIterations relative_value_iteration(const ModelView& m, double stay, Target target,
                                            std::int64_t most, double* value,
                                            const Monitor& monitor) {
    const double noise = 4.0 * static_cast<double>(m.longest_row + 8) * u;
    const Blocks blocks = blocks_for(m.n_states, m.sweep_work());
    std::vector<Extremes> found(static_cast<std::size_t>(blocks.count()));
    std::vector<double> other(static_cast<std::size_t>(m.n_states));
    double* now = value;
    double* next = other.data();
    double centre = 0.0;
    RelativeIterations result;
    with_rows(m, [&](const auto& rows) {
        while (result.sweeps < most) {
            parallel_blocks(blocks.count(), m.sweep_work(), [&](std::int64_t b) {
                Extremes e;
                for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
                    double best = -infinity;
                    for (std::int64_t row = m.row_begin(0, s); row < m.row_end(0, s); ++row)
                        best = std::max(best, backup(m, rows, row, 1.0, now));
                    const double change = best - now[s];
                    next[s] = now[s] + (1.0 - stay) * (change - centre);
                    e.low = std::min(e.low, change);
                    e.high = std::max(e.high, change);
                    e.magnitude = std::max(e.magnitude, std::abs(next[s]));
                }
                found[static_cast<std::size_t>(b)] = e;
            });
            Extremes all;
            for (const Extremes& e : found) {
                all.low = std::min(all.low, e.low);
                all.high = std::max(all.high, e.high);
                all.magnitude = std::max(all.magnitude, e.magnitude);
            }
            ++result.sweeps;
            std::swap(now, next);
            result.low = all.low;
            result.high = all.high;
            centre = 0.5 * all.low + 0.5 * all.high;
            const double width = all.high - all.low;
            if (!std::isfinite(width) || !std::isfinite(all.magnitude)) break;
            const double size = std::max(std::abs(all.low), std::abs(all.high));
            result.converged = width <= std::max(target.absolute, target.relative * size);
            if (result.converged || width <= noise * all.magnitude) break;
            monitor();
        }
    });
    if (now != value) std::copy_n(now, m.n_states, value);
    return result;
}

std::int64_t improve_gain_bias(const ModelView& m, const double* gain, const double* bias,
                               const std::int64_t* present, std::int64_t* improved) {
    const std::int64_t work = 3 * m.sweep_work();
    const Blocks blocks = blocks_for(m.n_states, work);
    std::vector<std::int64_t> switched(static_cast<std::size_t>(blocks.count()), 0);
    const auto total = [&] {
        std::int64_t count = 0;
        for (const std::int64_t c : switched) count += c;
        return count;
    };
    std::vector<double> magnitude(static_cast<std::size_t>(m.n_states));
    bool one_gain = true;
    for (std::int64_t s = 0; s < m.n_states; ++s) {
        magnitude[static_cast<std::size_t>(s)] = std::abs(bias[s]);
        one_gain = one_gain && gain[s] == gain[0];
    }
    with_rows(m, [&](const auto& rows) {
        if (!one_gain)
            parallel_blocks(blocks.count(), work, [&](std::int64_t b) {
                for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
                    double most = 0.0;
                    improved[s] = present[s];
                    for (std::int64_t row = m.row_begin(0, s); row < m.row_end(0, s); ++row) {
                        const Step step = step_of(rows, row, gain, gain[s]);
                        if (!step.raises() || step.change <= most) continue;
                        most = step.change;
                        improved[s] = row;
                    }
                    switched[static_cast<std::size_t>(b)] += improved[s] != present[s];
                }
            });
        if (total() > 0) return;
        parallel_blocks(blocks.count(), work, [&](std::int64_t b) {
            for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
                const Worth own = worth(m, rows, present[s], bias, magnitude.data());
                double most = own.value;
                improved[s] = present[s];
                for (std::int64_t row = m.row_begin(0, s); row < m.row_end(0, s); ++row) {
                    if (!one_gain && !step_of(rows, row, gain, gain[s]).keeps()) continue;
                    const Worth w = worth(m, rows, row, bias, magnitude.data());
                    if (w.value <= most || w.value - own.value <= w.noise + own.noise) continue;
                    most = w.value;
                    improved[s] = row;
                }
                switched[static_cast<std::size_t>(b)] += improved[s] != present[s];
            }
        });
    });
    return total();
}

std::int64_t improve_in_order(const ModelView& m, double gain, std::int64_t sweeps, double* bias,
                              std::int64_t* chosen, const Monitor& monitor) {
    const StandardFloatMode mode;
    std::int64_t switched = 0;
    with_rows(m, [&](const auto& rows) {
        const auto visit = [&](std::int64_t s) {
            const double before = bias[s];
            double most = before;
            std::int64_t best = chosen[s], loop = -1;
            double loop_pays = 0.0;
            for (std::int64_t row = m.row_begin(0, s); row < m.row_end(0, s); ++row) {
                // The bias of s where this row is taken until s is left.
                double ahead = 0.0, magnitude = 0.0, out = 0.0, kept = 0.0;
                rows.each(row, [&](std::int32_t j, double p) {
                    if (j == s) {
                        kept = p;
                        return;
                    }
                    ahead += p * bias[j];
                    magnitude += p * std::abs(bias[j]);
                    out += p;
                });
                const double noise = 8.0 * static_cast<double>(rows.terms(row) + 8) * u;
                const double paid = m.reward[row] - gain;
                if (out == 0.0) {  // worth any bias if it pays more than the gain
                    const double most_pays = std::max(loop_pays, same_gain * std::abs(gain));
                    if (paid > most_pays + noise * std::abs(m.reward[row])) {
                        loop = row;
                        loop_pays = paid;
                    }
                    continue;
                }
                const double sum = out + kept;
                const double worth = (paid * sum + ahead) / out;
                const double doubt =
                    noise * ((std::abs(m.reward[row]) + std::abs(gain)) * sum + magnitude) / out;
                if (worth - before <= 2.0 * doubt + noise * std::abs(before) || worth <= most)
                    continue;
                most = worth;
                best = row;
            }
            if (most == before && loop >= 0) best = loop;
            bias[s] = most;
            switched += best != chosen[s];
            chosen[s] = best;
        };
        for (std::int64_t sweep = 0; sweep < sweeps; ++sweep) {
            for (std::int64_t s = 0; s < m.n_states; ++s) visit(s);
            for (std::int64_t s = m.n_states; s-- > 0;) visit(s);
            monitor();
        }
    });
    return switched;
}

ResidualBounds gain_bias_residuals(const ModelView& m, WitnessView gain, WitnessView bias,
                                   const std::int64_t* policy, double* residual,
                                   std::int64_t* better) {
    const StandardFloatMode mode;
    const std::int64_t work = 24 * m.sweep_work();
    const Blocks blocks = blocks_for(m.n_states, work);
    std::vector<ResidualBounds> parts(static_cast<std::size_t>(blocks.count()),
                                      {infinity, -infinity, true});
    with_rows(m, [&](const auto& rows) {
        parallel_blocks(blocks.count(), work, [&](std::int64_t b) {
            ResidualBounds& part = parts[static_cast<std::size_t>(b)];
            for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
                const DoubleDouble g{gain.head[s], gain.tail ? gain.tail[s] : 0.0};
                const DoubleDouble own{bias.head[s], bias.tail ? bias.tail[s] : 0.0};
                const PreciseResidual present = residual_of(m, rows, policy[s], bias, g, own);
                const bool inside = internal(rows, policy[s], gain, g.high, g.low);
                part.finite = part.finite && present.finite();
                if (inside) {
                    part.low = std::min(part.low, present.low());
                    part.high = std::max(part.high, present.high());
                }
                PreciseResidual best = present;
                std::int64_t best_row = policy[s];
                for (std::int64_t row = m.row_begin(0, s); row < m.row_end(0, s); ++row) {
                    if (row == policy[s] || !internal(rows, row, gain, g.high, g.low)) continue;
                    const PreciseResidual c = residual_of(m, rows, row, bias, g, own);
                    part.finite = part.finite && c.finite();
                    part.high = std::max(part.high, c.high());
                    if (inside && c.plain > best.plain) {
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

GainDrift gain_drift(const ModelView& m, WitnessView gain, double scale, const std::int64_t* policy,
                     double* drift) {
    const StandardFloatMode mode;
    const std::int64_t work = 20 * m.sweep_work();
    const Blocks blocks = blocks_for(m.n_states, work);
    std::vector<GainDrift> parts(static_cast<std::size_t>(blocks.count()));
    // What underflows or overflows (0 / 0, and 1 / infinity as well) must not vanish in a maximum.
    const auto needed = [scale](double missing, const PreciseStep& step) {
        const double x = scale * std::max(missing, step.error) / step.variance;
        return x > 0.0 && x < infinity ? x : infinity;
    };
    with_rows(m, [&](const auto& rows) {
        parallel_blocks(blocks.count(), work, [&](std::int64_t b) {
            GainDrift& part = parts[static_cast<std::size_t>(b)];
            for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
                const double head = gain.head[s], tail = gain.tail ? gain.tail[s] : 0.0;
                for (std::int64_t row = m.row_begin(0, s); row < m.row_end(0, s); ++row) {
                    const PreciseStep step = precise_step(rows, row, gain, scale, head, tail);
                    if (row == policy[s])
                        drift[s] = step.internal ? 0.0 : step.change.high / step.sum;
                    if (step.internal) continue;
                    const double above = step.change.high + (step.error + step.change.low);
                    const double below = step.change.high - (step.error - step.change.low);
                    if (!(above < 0.0)) part.upper = std::max(part.upper, needed(above, step));
                    if (row == policy[s] && !(below > 0.0))
                        part.lower = std::max(part.lower, needed(-below, step));
                }
            }
        });
    });
    GainDrift all;
    for (const GainDrift& part : parts) {
        all.lower = std::max(all.lower, part.lower);
        all.upper = std::max(all.upper, part.upper);
    }
    return all;
}

void curve_gain(std::int64_t n, WitnessView gain, double scale, double centre_head,
                double centre_tail, double curvature, double* head, double* tail) {
    for (std::int64_t s = 0; s < n; ++s) {
        const DoubleDouble g{gain.head[s], gain.tail ? gain.tail[s] : 0.0};
        const DoubleDouble d = g + DoubleDouble{-centre_head, -centre_tail};
        const DoubleDouble length = scale * d;
        const DoubleDouble out = g + (curvature * length) * d;
        head[s] = out.high;
        tail[s] = out.low;
    }
}

}  // namespace rlt
