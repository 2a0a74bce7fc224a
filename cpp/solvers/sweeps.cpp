#include "solvers/sweeps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "solvers/backups.hpp"
#include "solvers/lazy_backups.hpp"
#include "solvers/stopping.hpp"
#include "support/float_mode.hpp"
#include "support/room.hpp"

namespace rlt {

namespace {

Extremes jacobi(const ModelView& m, std::int64_t stage, double discount, const double* value,
                double* out, std::int64_t* best_row) {
    return with_rows(m, [&](const auto& rows) {
        return over_states(m, m.sweep_work(), [&](std::int64_t begin, std::int64_t end) {
            Extremes e;
            for (std::int64_t s = begin; s < end; ++s) {
                out[s] = best_backup(m, rows, stage, s, discount, value,
                                     best_row ? best_row + s : nullptr);
                e.see(out[s] - value[s], out[s]);
            }
            return e;
        });
    });
}

}  // namespace

void bellman(const ModelView& m, std::int64_t stage, double discount, const double* value,
             double* out, std::int64_t* best_row) {
    jacobi(m, stage, discount, value, out, best_row);
}

void q_values(const ModelView& m, std::int64_t stage, double discount, const double* value,
              double* q) {
    const std::int64_t first = m.row_begin(stage, 0), count = m.stage_rows(stage);
    const Blocks blocks = blocks_for(count, m.sweep_work());
    with_rows(m, [&](const auto& rows) {
        parallel_blocks(blocks.count(), m.sweep_work(), [&](std::int64_t b) {
            for (std::int64_t i = blocks.begin(b); i < blocks.end(b); ++i)
                q[i] = next_backup(m, rows, first + i, discount, value);
        });
    });
}

Iterations value_iteration(const ModelView& m, double discount, Target target, double* value,
                           const Monitor& monitor) {
    return iterate(m, discount, target, value, monitor, [&](const double* now, double* next) {
        return jacobi(m, 0, discount, now, next, nullptr);
    });
}

Iterations gauss_seidel(const ModelView& m, double discount, Target target, double* value,
                        const Monitor& monitor) {
    const StandardFloatMode mode;
    constexpr std::int64_t sweeps_a_check = 8;
    double centred = std::numeric_limits<double>::infinity();  // width of the last bracket used
    Stop stop(m, discount, target);
    Room<double> other;
    Iterations result;
    for (;;) {
        Extremes e;
        with_rows(m, [&](const auto& rows) {
            for (std::int64_t s = 0; s < m.n_states; ++s) {
                const double x = best_backup(m, rows, 0, s, discount, value, nullptr);
                e.see(x - value[s], x);
                value[s] = x;
            }
        });
        ++result.sweeps;
        // A state may be reached through several discounts in one sweep, as if it had exits: such
        // sweeps forget a constant no faster than the discount. Now and then one of v <- T v
        // brackets it, and the value is centred.
        e.allow_exits();
        if (result.sweeps % sweeps_a_check == 0 && !stop.reached(e)) {
            if (other.empty()) other.resize(static_cast<std::size_t>(m.n_states));
            e = jacobi(m, 0, discount, value, other.data(), nullptr);
            std::copy(other.begin(), other.end(), value);
            ++result.sweeps;
            if (m.has_exits) e.allow_exits();
            // A bracket that has not shrunk since says less than what the sweeps have gained.
            if (!stop.reached(e) && e.high - e.low < centred) {
                centred = e.high - e.low;
                shift(m, discount, e, value);
            }
        }
        result.converged = stop.reached(e);
        if (result.converged || stop.stalled(e, result.sweeps)) {
            shift(m, discount, e, value);
            return result;
        }
        monitor();
    }
}

std::int64_t improve(const ModelView& m, double discount, const double* value,
                     const std::int64_t* present, std::int64_t* improved) {
    const double noise = 2.0 * static_cast<double>(m.longest_row + 8) * unit_roundoff;
    const double largest = largest_magnitude(value, m.n_states);
    const Blocks blocks = blocks_for(m.n_states, m.sweep_work());
    std::vector<std::int64_t> switched(static_cast<std::size_t>(blocks.count()), 0);
    with_rows(m, [&](const auto& rows) {
        parallel_blocks(blocks.count(), m.sweep_work(), [&](std::int64_t b) {
            for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
                const double q = backup(m, rows, present[s], discount, value);
                const double margin = noise * (std::abs(m.reward[present[s]]) + discount * largest);
                std::int64_t best_row;
                const double best = best_backup(m, rows, 0, s, discount, value, &best_row);
                const bool better = best > q + margin;
                improved[s] = better ? best_row : present[s];
                switched[static_cast<std::size_t>(b)] += better;
            }
        });
    });
    std::int64_t count = 0;
    for (const std::int64_t c : switched) count += c;
    return count;
}

void backward_induction(const ModelView& m, std::int64_t horizon, double* value, std::int64_t* rows,
                        double* error, const Monitor& monitor) {
    const StandardFloatMode mode;
    const std::int64_t n = m.n_states;
    std::fill_n(value + horizon * n, n, 0.0);
    std::optional<LazyBackups> shared;  // rows that every stage has
    if (m.n_stages == 1) shared.emplace(m, 1.0);
    double ahead = 0.0;
    for (std::int64_t h = horizon - 1; h >= 0; --h) {
        double* now = value + h * n;
        Extremes e;
        double largest_reward = 0.0;
        if (shared) {
            if (h < horizon - 1) std::copy_n(rows + (h + 1) * n, n, rows + h * n);
            e = shared->sweep(now + n, now, rows + h * n);
            largest_reward = shared->largest_reward();
        } else {
            e = jacobi(m, h, 1.0, now + n, now, rows + h * n);
            largest_reward = largest_magnitude(m.reward + m.row_begin(h, 0), m.stage_rows(h));
        }
        error[h] = std::isfinite(e.doubt)
                       ? residual_error(m, 1.0, largest_reward, std::max(ahead, e.magnitude))
                       : std::numeric_limits<double>::infinity();
        ahead = e.magnitude;
        monitor();
    }
}

void policy_backward(const ModelView& m, std::int64_t horizon, const double* weight,
                     std::int64_t weight_stride, double* value, const Monitor& monitor) {
    std::fill_n(value + horizon * m.n_states, m.n_states, 0.0);
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t h = horizon - 1; h >= 0; --h) {
            const std::int64_t stage = m.n_stages > 1 ? h : 0;
            const std::int64_t first = m.row_begin(stage, 0);
            const double* w = weight + (m.n_stages > 1 ? first : h * weight_stride);
            const double* later = value + (h + 1) * m.n_states;
            double* out = value + h * m.n_states;
            const Blocks blocks = blocks_for(m.n_states, m.sweep_work());
            parallel_blocks(blocks.count(), m.sweep_work(), [&](std::int64_t b) {
                for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
                    double x = 0.0;
                    for (std::int64_t r = m.row_begin(stage, s); r < m.row_end(stage, s); ++r)
                        if (w[r - first] != 0.0) x += w[r - first] * backup(m, rows, r, 1.0, later);
                    out[s] = x;
                }
            });
            monitor();
        }
    });
}

void policy_forward(const ModelView& m, std::int64_t horizon, const double* weight,
                    std::int64_t weight_stride, const double* initial, double* occupancy,
                    const Monitor& monitor) {
    const StandardFloatMode mode;
    Room<double> here(initial, initial + m.n_states);
    Room<double> next(static_cast<std::size_t>(m.n_states));
    double* d = occupancy;
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t h = 0; h < horizon; ++h) {
            const std::int64_t stage = m.n_stages > 1 ? h : 0;
            const std::int64_t first = m.row_begin(stage, 0);
            const double* w = weight + (m.n_stages > 1 ? first : h * weight_stride);
            std::fill(next.begin(), next.end(), 0.0);
            for (std::int64_t s = 0; s < m.n_states; ++s) {
                for (std::int64_t r = m.row_begin(stage, s); r < m.row_end(stage, s); ++r) {
                    const double mass = here[static_cast<std::size_t>(s)] * w[r - first];
                    d[r - first] = mass;
                    if (mass == 0.0) continue;
                    const double scaled = m.defect ? mass - mass * m.defect[r] : mass;
                    rows.each(r, [&](std::int32_t j, double p) {
                        next[static_cast<std::size_t>(j)] += scaled * p;
                    });
                }
            }
            d += m.stage_rows(stage);
            std::swap(here, next);
            monitor();
        }
    });
}

}  // namespace rlt
