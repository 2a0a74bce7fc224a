#include "solvers/sweeps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "solvers/stopping.hpp"
#include "support/float_mode.hpp"
#include "support/parallel.hpp"

namespace rlt {

namespace {

template <class Rows>
inline double best_backup(const ModelView& m, const Rows& rows, std::int64_t stage, std::int64_t s,
                          double discount, const double* value, std::int64_t* best_row) {
    double best = -std::numeric_limits<double>::infinity();
    std::int64_t arg = m.row_begin(stage, s);
    const std::int64_t end = m.row_end(stage, s);
    for (std::int64_t row = arg; row < end; ++row) {
        const double x = backup(m, rows, row, discount, value);
        if (x > best) {
            best = x;
            arg = row;
        }
    }
    if (best_row) *best_row = arg;
    return best;
}

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

Extremes policy_sweep(const ModelView& m, double discount, const std::int64_t* chosen,
                      const double* value, double* out) {
    const std::int64_t work =
        m.n_states * 4 + m.n_entries / std::max<std::int64_t>(1, m.n_rows) * m.n_states;
    return with_rows(m, [&](const auto& rows) {
        return over_states(m, work, [&](std::int64_t begin, std::int64_t end) {
            Extremes e;
            for (std::int64_t s = begin; s < end; ++s) {
                out[s] = backup(m, rows, chosen[s], discount, value);
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
                q[i] = backup(m, rows, first + i, discount, value);
        });
    });
}

Iterations value_iteration(const ModelView& m, double discount, Target target, double* value,
                           const Monitor& monitor) {
    Stop stop(m, discount, target);
    std::vector<double> other(static_cast<std::size_t>(m.n_states));
    double* now = value;
    double* next = other.data();
    Iterations result;
    for (;;) {
        Extremes e = jacobi(m, 0, discount, now, next, nullptr);
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

Iterations gauss_seidel(const ModelView& m, double discount, Target target, double* value,
                        const Monitor& monitor) {
    const StandardFloatMode mode;
    Stop stop(m, discount, target);
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
        // A state may be reached through several discounts in one sweep, as if it had exits.
        e.allow_exits();
        result.converged = stop.reached(e);
        if (result.converged || stop.stalled(e, result.sweeps)) {
            shift(m, discount, e, value);
            return result;
        }
        monitor();
    }
}

Iterations modified_policy_iteration(const ModelView& m, double discount, Target target,
                                     std::int64_t max_improvements, double* value,
                                     const Monitor& monitor) {
    constexpr int most_partial_sweeps = 200;
    Stop stop(m, discount, target);
    std::vector<double> other(static_cast<std::size_t>(m.n_states));
    std::vector<std::int64_t> chosen(static_cast<std::size_t>(m.n_states));
    double* now = value;
    double* next = other.data();
    Iterations result;
    for (std::int64_t improvement = 1;; ++improvement) {
        Extremes e = jacobi(m, 0, discount, now, next, chosen.data());
        ++result.sweeps;
        std::swap(now, next);
        if (m.has_exits) e.allow_exits();
        result.converged = stop.reached(e);
        if (result.converged || stop.stalled(e, improvement) || stop.exhausted(result.sweeps) ||
            improvement == max_improvements) {
            if (now != value) std::copy_n(now, m.n_states, value);
            shift(m, discount, e, value);
            return result;
        }
        const double wanted = 0.1 * (e.high - e.low);
        for (int i = 0; i < most_partial_sweeps; ++i) {
            Extremes p = policy_sweep(m, discount, chosen.data(), now, next);
            ++result.sweeps;
            std::swap(now, next);
            if (m.has_exits) p.allow_exits();
            if (!(p.high - p.low > wanted) || stop.reached(p)) break;
            monitor();
        }
    }
}

std::int64_t improve(const ModelView& m, double discount, const double* value,
                     const std::int64_t* present, std::int64_t* improved) {
    const double noise = 2.0 * static_cast<double>(m.longest_row + 8) * 0x1.0p-53;
    double largest = 0.0;
    for (std::int64_t s = 0; s < m.n_states; ++s) largest = std::max(largest, std::abs(value[s]));
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
                        const Monitor& monitor) {
    std::fill_n(value + horizon * m.n_states, m.n_states, 0.0);
    for (std::int64_t h = horizon - 1; h >= 0; --h) {
        jacobi(m, m.n_stages > 1 ? h : 0, 1.0, value + (h + 1) * m.n_states, value + h * m.n_states,
               rows + h * m.n_states);
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
    std::vector<double> here(initial, initial + m.n_states);
    std::vector<double> next(static_cast<std::size_t>(m.n_states));
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
