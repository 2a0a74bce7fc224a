#include "solvers/robust.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "solvers/row_residual.hpp"
#include "solvers/stopping.hpp"
#include "solvers/worst_law.hpp"
#include "support/float_mode.hpp"
#include "support/parallel.hpp"

namespace rlt {

namespace {

constexpr double u = 0x1.0p-53;
constexpr double infinity = std::numeric_limits<double>::infinity();

// Sweeps of one operator over one stage, with all the memory they need.
class Sweeper {
public:
    Sweeper(const ModelView& m, std::int64_t stage, double discount, const Ambiguity& ambiguity,
            double sign)
        : m_(m),
          stage_(stage),
          discount_(discount),
          ambiguity_(ambiguity),
          sign_(sign),
          outlook_(m, ambiguity),
          work_(ambiguity.sweep_work(m)),
          policy_work_(work_ / std::max<std::int64_t>(1, m.stage_rows(stage) / m.n_states)),
          scratch_(
              static_cast<std::size_t>(std::max(blocks_for(m.n_states, work_).count(),
                                                blocks_for(m.n_states, policy_work_).count()))) {
        last_.resize(static_cast<std::size_t>(m.stage_rows(stage)), 0);
        for (auto& entries : scratch_)
            entries.reserve(static_cast<std::size_t>(ambiguity.most_outcomes(m)));
    }

    Extremes optimal(const double* value, double* out, std::int64_t* best_row) {
        const std::int64_t first = m_.row_begin(stage_, 0);
        return sweep(work_, value, out, [&](const auto& backup, std::int64_t s) {
            double best = -infinity;
            std::int64_t arg = m_.row_begin(stage_, s);
            for (std::int64_t row = arg; row < m_.row_end(stage_, s); ++row) {
                const double x = backup(row, row - first);
                if (x > best) {
                    best = x;
                    arg = row;
                }
            }
            if (best_row) best_row[s] = arg;
            return best;
        });
    }

    Extremes of_policy(const std::int64_t* chosen, const double* value, double* out) {
        const std::int64_t first = m_.row_begin(stage_, 0);
        return sweep(policy_work_, value, out, [&](const auto& backup, std::int64_t s) {
            return backup(chosen[s], chosen[s] - first);
        });
    }

private:
    template <class F>
    Extremes sweep(std::int64_t work, const double* value, double* out, F&& f) {
        outlook_.look(value, sign_);
        const Blocks blocks = blocks_for(m_.n_states, work);
        return with_rows(m_, [&](const auto& rows) {
            return over_states(m_, work, [&](std::int64_t begin, std::int64_t end) {
                auto& entries = scratch_[static_cast<std::size_t>(begin / blocks.size)];
                const auto backup = [&](std::int64_t row, std::int64_t index) {
                    return robust_backup(m_, rows, ambiguity_, row, index, discount_, outlook_,
                                         {entries, last_[static_cast<std::size_t>(index)]});
                };
                Extremes e;
                for (std::int64_t s = begin; s < end; ++s) {
                    out[s] = f(backup, s);
                    e.see(out[s] - value[s], out[s]);
                }
                return e;
            });
        });
    }

    const ModelView& m_;
    std::int64_t stage_;
    double discount_;
    const Ambiguity& ambiguity_;
    double sign_;
    Outlook outlook_;
    std::int64_t work_;
    std::int64_t policy_work_;
    std::vector<std::vector<Entry>> scratch_;
    std::vector<std::int32_t> last_;
};

struct Bounded {
    double low;
    double high;
    double error;
    double plain;

    bool finite() const { return std::isfinite(low) && std::isfinite(high); }
};

// The residual of a row under its worst law, where the row's own law sums to 1 + delta. The error
// bound is theorem T4 of docs/theory/robust.md.
Bounded robust_residual(double r, const std::vector<Mass>& law, DoubleDouble delta, double discount,
                        const PreciseOutlook& o, double own_head, double own_tail,
                        double data_error) {
    DoubleDouble dot;
    for (const Mass& x : law) dot = dot + x.mass * x.value;
    DoubleDouble y = two_sum(r, -own_head) + (-own_tail);
    y = y + y * delta;
    const DoubleDouble scaled = y + (discount * o.sign) * dot;
    const double terms = static_cast<double>(law.size());
    const double size = std::abs(r) + 2.0 * discount * o.largest + std::abs(own_head);
    const double error = ((16.0 * terms + 128.0) * 0x1.0p-106 * size + (terms + 8.0) * 0x1.0p-1060 +
                          data_error * size) *
                         (1.0 + 0x1.0p-40);
    const double low = scaled.high - (error - scaled.low);
    const double high = scaled.high + (error + scaled.low);
    return {std::nextafter(low, -infinity), std::nextafter(high, infinity), error,
            scaled.high / (1.0 + delta.high) + scaled.low};
}

}  // namespace

void robust_bellman(const ModelView& m, std::int64_t stage, double discount,
                    const Ambiguity& ambiguity, double sign, const double* value, double* out,
                    std::int64_t* best_row) {
    Sweeper(m, stage, discount, ambiguity, sign).optimal(value, out, best_row);
}

Iterations robust_value_iteration(const ModelView& m, double discount, const Ambiguity& ambiguity,
                                  double sign, Target target, double* value,
                                  const Monitor& monitor) {
    Sweeper sweeper(m, 0, discount, ambiguity, sign);
    return iterate(m, discount, target, value, monitor, [&](const double* now, double* next) {
        return sweeper.optimal(now, next, nullptr);
    });
}

Iterations robust_modified_policy_iteration(const ModelView& m, double discount,
                                            const Ambiguity& ambiguity, double sign, Target target,
                                            std::int64_t max_improvements, double* value,
                                            const Monitor& monitor) {
    constexpr int most_partial_sweeps = 200;
    Stop stop(m, discount, target);
    Sweeper sweeper(m, 0, discount, ambiguity, sign);
    std::vector<double> other(static_cast<std::size_t>(m.n_states));
    std::vector<std::int64_t> chosen(static_cast<std::size_t>(m.n_states));
    double* now = value;
    double* next = other.data();
    Iterations result;
    for (std::int64_t improvement = 1;; ++improvement) {
        Extremes e = sweeper.optimal(now, next, chosen.data());
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
            Extremes p = sweeper.of_policy(chosen.data(), now, next);
            ++result.sweeps;
            std::swap(now, next);
            if (m.has_exits) p.allow_exits();
            if (!(p.high - p.low > wanted) || stop.reached(p)) break;
            monitor();
        }
    }
}

ResidualBounds robust_residuals(const ModelView& m, std::int64_t stage, double discount,
                                const Ambiguity& ambiguity, double sign, WitnessView next,
                                WitnessView own, double data_error, const std::int64_t* policy,
                                double* residual, std::int64_t* better) {
    const PreciseOutlook outlook(m, next.head, next.tail, sign);
    const std::int64_t first = m.row_begin(stage, 0);
    const std::int64_t work = 20 * ambiguity.sweep_work(m);
    const Blocks blocks = blocks_for(m.n_states, work);
    std::vector<ResidualBounds> parts(static_cast<std::size_t>(blocks.count()),
                                      {infinity, -infinity, true});
    with_rows(m, [&](const auto& rows) {
        parallel_blocks(blocks.count(), work, [&](std::int64_t b) {
            const StandardFloatMode mode;
            ResidualBounds& part = parts[static_cast<std::size_t>(b)];
            std::vector<Mass> law;
            law.reserve(static_cast<std::size_t>(ambiguity.most_outcomes(m)));
            for (std::int64_t s = blocks.begin(b); s < blocks.end(b); ++s) {
                const double head = own.head[s], tail = own.tail ? own.tail[s] : 0.0;
                const auto bounded = [&](std::int64_t row) {
                    const double r = m.reward[row];
                    if (outlook.largest == 0.0 && r == 0.0 && head == 0.0 && tail == 0.0)
                        return Bounded{};
                    const DoubleDouble delta =
                        worst_law(m, rows, ambiguity, row, row - first, outlook, law);
                    return robust_residual(r, law, delta, discount, outlook, head, tail,
                                           data_error);
                };
                const Bounded present = bounded(policy[s]);
                part.finite = part.finite && present.finite();
                part.low = std::min(part.low, present.low);
                part.high = std::max(part.high, present.high);
                Bounded best = present;
                std::int64_t best_row = policy[s];
                for (std::int64_t row = m.row_begin(stage, s); row < m.row_end(stage, s); ++row) {
                    if (row == policy[s]) continue;
                    const Bounded c = bounded(row);
                    part.finite = part.finite && c.finite();
                    part.high = std::max(part.high, c.high);
                    if (c.plain > best.plain) {
                        best = c;
                        best_row = row;
                    }
                }
                residual[s] = present.plain;
                better[s] = surely_better(best, present) ? best_row : policy[s];
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

Laws worst_laws(const ModelView& m, std::int64_t stage, const Ambiguity& ambiguity, double sign,
                WitnessView next, const std::int64_t* chosen, std::int64_t count) {
    const StandardFloatMode mode;
    const PreciseOutlook outlook(m, next.head, next.tail, sign);
    const std::int64_t first = m.row_begin(stage, 0);
    Laws laws;
    laws.row_ptr.push_back(0);
    std::vector<Mass> law;
    for (std::int64_t i = 0; i < count; ++i) {
        const DoubleDouble delta = with_rows(m, [&](const auto& rows) {
            return worst_law(m, rows, ambiguity, chosen[i], chosen[i] - first, outlook, law);
        });
        std::sort(law.begin(), law.end(),
                  [](const Mass& a, const Mass& b) { return a.outcome < b.outcome; });
        const double sum = 1.0 + delta.high;
        double exit = 0.0;
        for (const Mass& x : law) {
            if (x.mass.high == 0.0) continue;
            if (x.outcome == m.n_states) {
                exit = x.mass.high / sum;
                continue;
            }
            laws.col.push_back(x.outcome);
            laws.prob.push_back(x.mass.high / sum);
        }
        laws.exit.push_back(exit);
        laws.row_ptr.push_back(static_cast<std::int64_t>(laws.col.size()));
    }
    return laws;
}

}  // namespace rlt
