#include "solvers/regularized.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "solvers/row_residual.hpp"
#include "solvers/soft_maximum.hpp"
#include "solvers/stopping.hpp"
#include "support/float_mode.hpp"
#include "support/parallel.hpp"

namespace rlt {

namespace {

constexpr double u = 0x1.0p-53;
constexpr double infinity = std::numeric_limits<double>::infinity();
// exp costs as much as some thirty products.
constexpr std::int64_t cost_of_exp = 30;

std::int64_t work_of(const ModelView& m) {
    return m.sweep_work() + cost_of_exp * m.n_rows / m.n_stages;
}

ReferenceLaw law_of(const Regularizer& soft, std::int64_t begin, std::int64_t count) {
    return {soft.weight + begin, soft.log_weight + begin, count};
}

Extremes soft_sweep(const ModelView& m, std::int64_t stage, double discount,
                    const Regularizer& soft, const double* value, double* out, double* q) {
    const std::int64_t first = m.row_begin(stage, 0);
    return with_rows(m, [&](const auto& rows) {
        return over_states(m, work_of(m), [&](std::int64_t begin, std::int64_t end) {
            Extremes e;
            for (std::int64_t s = begin; s < end; ++s) {
                const std::int64_t from = m.row_begin(stage, s) - first;
                const std::int64_t count = m.row_end(stage, s) - first - from;
                for (std::int64_t i = from; i < from + count; ++i)
                    q[i] = backup(m, rows, first + i, discount, value);
                out[s] = soft.bonus[s] +
                         soft_maximum(q + from, law_of(soft, from, count), soft.temperature);
                e.see(out[s] - value[s], out[s]);
            }
            return e;
        });
    });
}

// Advantages x = r + discount P w - w(s) of the actions of one state, and their errors.
struct Advantages {
    std::vector<double> x, error, raised, lowered;

    explicit Advantages(std::int64_t most) {
        for (auto* v : {&x, &error, &raised, &lowered}) v->resize(static_cast<std::size_t>(most));
    }

    template <class Rows>
    void fill(const ModelView& m, const Rows& rows, std::int64_t first, std::int64_t count,
              double discount, WitnessView next, double head, double tail, double data_error) {
        for (std::int64_t i = 0; i < count; ++i) {
            const auto k = static_cast<std::size_t>(i);
            const PreciseResidual c =
                precise_residual(m, rows, first + i, discount, next, head, tail);
            double e = c.error * (1.0 + 0x1.0p-20) + 5.0 * u * std::abs(c.plain) + 0x1.0p-1070;
            if (data_error > 0.0) {
                double ahead = 0.0;
                rows.each(first + i,
                          [&](std::int32_t j, double p) { ahead += p * std::abs(next.head[j]); });
                e += data_error * (std::abs(m.reward[first + i]) + discount * ahead);
            }
            if (c.error == 0.0 && c.plain == 0.0) e = 0.0;  // all terms are 0
            x[k] = c.plain;
            error[k] = e;
            raised[k] = (c.plain + e) + u * std::abs(c.plain + e);
            lowered[k] = (c.plain - e) - u * std::abs(c.plain - e);
        }
    }
};

}  // namespace

void soft_bellman(const ModelView& m, std::int64_t stage, double discount, const Regularizer& soft,
                  const double* value, double* out, double* q) {
    const StandardFloatMode mode;
    soft_sweep(m, stage, discount, soft, value, out, q);
}

Iterations soft_value_iteration(const ModelView& m, double discount, const Regularizer& soft,
                                Target target, double* value, const Monitor& monitor) {
    std::vector<double> q(static_cast<std::size_t>(m.n_rows));
    return iterate(m, discount, target, value, monitor, [&](const double* now, double* next) {
        return soft_sweep(m, 0, discount, soft, now, next, q.data());
    });
}

ResidualBounds soft_residuals(const ModelView& m, std::int64_t stage, double discount,
                              const Regularizer& soft, WitnessView next, WitnessView own,
                              double data_error, double* residual, double* policy,
                              double* log_policy) {
    const std::int64_t first = m.row_begin(stage, 0);
    const std::int64_t work = 20 * m.sweep_work() + 6 * work_of(m);
    const Blocks blocks = blocks_for(m.n_states, work);
    std::int64_t most = 0;
    for (std::int64_t s = 0; s < m.n_states; ++s)
        most = std::max(most, m.row_end(stage, s) - m.row_begin(stage, s));
    std::vector<ResidualBounds> parts(static_cast<std::size_t>(blocks.count()),
                                      {infinity, -infinity, true});
    with_rows(m, [&](const auto& rows) {
        parallel_blocks(blocks.count(), work, [&](std::int64_t b) {
            const StandardFloatMode mode;
            ResidualBounds& part = parts[static_cast<std::size_t>(b)];
            Advantages g(most);
            for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
                const std::int64_t row = m.row_begin(stage, s), from = row - first;
                const std::int64_t count = m.row_end(stage, s) - row;
                g.fill(m, rows, row, count, discount, next, own.head[s],
                       own.tail ? own.tail[s] : 0.0, data_error);
                const ReferenceLaw rho = law_of(soft, from, count);
                const double tau = soft.temperature, bonus = soft.bonus[s];
                const auto middle = bounded_soft_maximum(g.x.data(), rho, tau);
                const auto above = bounded_soft_maximum(g.raised.data(), rho, tau);
                const auto below = bounded_soft_maximum(g.lowered.data(), rho, tau);
                const double high = above.value + above.error, low = below.value - below.error;
                const double loss =
                    tau * soft_greedy(g.x.data(), g.error.data(), high - low, rho, tau, middle,
                                      policy + from, log_policy + from);
                // The last factor pays for the sums that form the bounds.
                const double rounding =
                    u * (20.0 * std::abs(bonus) + 4.0 * (std::abs(high) + std::abs(low) + loss));
                const double most_here = (high + bonus) + rounding;
                const double least_here = (low + bonus) - (loss + rounding);
                residual[s] = middle.value + bonus;
                part.finite = part.finite && std::isfinite(most_here) && std::isfinite(least_here);
                part.high = std::max(part.high, most_here);
                part.low = std::min(part.low, least_here);
            }
        });
    });
    ResidualBounds all{infinity, -infinity, true};
    for (const ResidualBounds& part : parts) {
        all.low = std::min(all.low, part.low);
        all.high = std::max(all.high, part.high);
        all.finite = all.finite && part.finite;
    }
    return all;
}

}  // namespace rlt
