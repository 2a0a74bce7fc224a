#include "simulate/reward_sampler.hpp"

#include <algorithm>

#include "simulate/normal.hpp"

namespace rlt {

RewardSampler::RewardSampler(const Model& model, RewardKind kind, double parameter,
                             const double* values, const double* probabilities, std::int64_t size)
    : model_(model), kind_(kind), parameter_(parameter), size_(size) {
    if (kind != RewardKind::atoms) return;
    const std::int64_t rows = model.view.n_rows;
    values_.assign(values, values + rows * size);
    cumulated_.resize(values_.size());
    for (std::int64_t r = 0; r < rows; ++r) {
        const double* p = probabilities + r * size;
        double* c = cumulated_.data() + r * size;
        double sum = 0.0;
        for (std::int64_t i = 0; i < size; ++i) c[i] = sum += p[i];
        // From the last possible value on, nothing is left to be drawn.
        std::int64_t last = size - 1;
        while (last > 0 && p[last] == 0.0) --last;
        for (std::int64_t i = 0; i < size; ++i) c[i] = i < last ? c[i] / sum : 1.0;
    }
}

double RewardSampler::stated(std::int64_t row, std::int32_t next) const {
    const ModelView& m = model_.view;
    if (model_.outcome_reward.empty()) return m.reward[row];
    if (next < 0) return model_.exit_reward.empty() ? 0.0 : model_.exit_reward[row];
    if (m.storage == Storage::deterministic) return model_.outcome_reward[row];
    if (m.storage == Storage::dense) return model_.outcome_reward[row * m.n_states + next];
    const std::int32_t* first = m.col + m.row_ptr[row];
    const std::int32_t* last = m.col + m.row_ptr[row + 1];
    return model_.outcome_reward[m.row_ptr[row] + (std::lower_bound(first, last, next) - first)];
}

double RewardSampler::random(std::int64_t row, double u) const {
    const double mean = model_.view.reward[row];
    if (kind_ == RewardKind::bernoulli) return u < mean / parameter_ ? parameter_ : 0.0;
    if (kind_ == RewardKind::gaussian) return mean + parameter_ * standard_normal(u);
    const double* c = cumulated_.data() + row * size_;
    std::int64_t i = 0;
    while (c[i] <= u) ++i;  // ends: the last possible one is 1, and u is below
    return values_[static_cast<std::size_t>(row * size_ + i)];
}

}  // namespace rlt
