#include "solvers/largest_occupancy.hpp"

#include <algorithm>
#include <vector>

#include "support/parallel.hpp"

namespace rlt {

namespace {

constexpr std::int64_t width = 8;  // targets of a bundle: eight doubles are a cache line
constexpr std::int64_t work_between_checks = std::int64_t{1} << 29;

// out(x, i) = max_a sum_y P(y | x, a) u(y, i) for the targets i of a bundle.
template <class Rows>
void sweep(const ModelView& m, const Rows& rows, std::int64_t stage, const double* u, double* out) {
    for (std::int64_t x = 0; x < m.n_states; ++x) {
        double best[width] = {};
        for (std::int64_t row = m.row_begin(stage, x); row < m.row_end(stage, x); ++row) {
            double sum[width] = {};
            rows.each(row, [&](std::int32_t y, double p) {
                const double* ahead = u + std::int64_t{y} * width;
                for (std::int64_t i = 0; i < width; ++i) sum[i] += p * ahead[i];
            });
            if (m.rows_need_correction)
                for (double& q : sum) q -= m.defect[row] * q;
            for (std::int64_t i = 0; i < width; ++i) best[i] = std::max(best[i], sum[i]);
        }
        // The exact value is a probability: what rounding puts on top is only error.
        for (std::int64_t i = 0; i < width; ++i) out[x * width + i] = std::min(best[i], 1.0);
    }
}

class Bundle {
public:
    Bundle(const ModelView& m, std::int64_t first)
        : m_(m),
          first_(first),
          targets_(std::min(width, m.n_states - first)),
          u_(static_cast<std::size_t>(m.n_states * width), 0.0),
          swept_(u_.size()) {
        for (std::int64_t i = 0; i < targets_; ++i)
            u_[static_cast<std::size_t>((first + i) * width + i)] = 1.0;
    }

    template <class Rows>
    void back(const Rows& rows, std::int64_t stage) {
        sweep(m_, rows, stage, u_.data(), swept_.data());
        u_.swap(swept_);
    }

    void reached(const double* initial, double* reach) const {
        double sum[width] = {};
        for (std::int64_t x = 0; x < m_.n_states; ++x)
            for (std::int64_t i = 0; i < width; ++i)
                sum[i] += initial[x] * u_[static_cast<std::size_t>(x * width + i)];
        for (std::int64_t i = 0; i < targets_; ++i) reach[first_ + i] = std::min(sum[i], 1.0);
    }

private:
    const ModelView& m_;
    std::int64_t first_;
    std::int64_t targets_;
    std::vector<double> u_;
    std::vector<double> swept_;
};

template <class Rows>
void all_stages(const ModelView& m, const Rows& rows, std::int64_t horizon, std::int64_t first,
                const double* initial, double* reach) {
    Bundle bundle(m, first);
    for (std::int64_t h = 0; h < horizon; ++h) {
        if (h > 0) bundle.back(rows, 0);
        bundle.reached(initial, reach + h * m.n_states);
    }
}

template <class Rows>
void one_stage(const ModelView& m, const Rows& rows, std::int64_t stage, std::int64_t first,
               const double* initial, double* reach) {
    Bundle bundle(m, first);
    for (std::int64_t j = stage - 1; j >= 0; --j) bundle.back(rows, j);
    bundle.reached(initial, reach + stage * m.n_states);
}

}  // namespace

void largest_state_occupancy(const ModelView& m, std::int64_t horizon, const double* initial,
                             double* reach, const Monitor& monitor) {
    const bool staged = m.n_stages > 1;
    const std::int64_t bundles = (m.n_states + width - 1) / width;
    const std::int64_t tasks = bundles * (staged ? horizon : 1);
    const std::int64_t per_task = width * m.sweep_work() * (staged ? (horizon + 1) / 2 : horizon);
    // Every task is independent of the others, so neither groups nor threads can be seen.
    const std::int64_t group = std::max<std::int64_t>(
        2 * thread_count(), work_between_checks / std::max<std::int64_t>(1, per_task));
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t begin = 0; begin < tasks; begin += group) {
            const std::int64_t count = std::min(group, tasks - begin);
            parallel_blocks(count, count * per_task, [&](std::int64_t i) {
                const std::int64_t task = begin + i;
                const std::int64_t first = task % bundles * width;
                if (staged)
                    one_stage(m, rows, task / bundles, first, initial, reach);
                else
                    all_stages(m, rows, horizon, first, initial, reach);
            });
            monitor();
        }
    });
}

}  // namespace rlt
