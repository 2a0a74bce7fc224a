// Draws rewards, each from one word of 64 bits; u is the word's uniform on multiples of 2^-53.
//
//     stated      the mean of the pair, or the reward of the outcome where outcomes have their own
//     bernoulli   `scale` where u < mean / scale, else 0
//     gaussian    mean + sigma * (quantile of the standard normal law at u + 2^-54)
//     atoms       the first value whose cumulated probability, over their sum, exceeds u
#pragma once

#include <cstdint>
#include <vector>

#include "model/model.hpp"

namespace rlt {

enum class RewardKind : int { stated, bernoulli, gaussian, atoms };

class RewardSampler {
public:
    // `parameter` is the scale or sigma; `values` and `probabilities` are (rows, size).
    RewardSampler(const Model& model, RewardKind kind, double parameter, const double* values,
                  const double* probabilities, std::int64_t size);

    // Whether a draw needs its word.
    bool is_random() const { return kind_ != RewardKind::stated; }

    // `next` is the state that followed, or -1.
    double draw(std::int64_t row, std::int32_t next, std::uint64_t word) const {
        if (kind_ == RewardKind::stated) return stated(row, next);
        return random(row, static_cast<double>(word >> 11) * 0x1.0p-53);
    }

private:
    double stated(std::int64_t row, std::int32_t next) const;
    double random(std::int64_t row, double u) const;

    const Model& model_;
    RewardKind kind_;
    double parameter_;
    std::int64_t size_;
    std::vector<double> values_, cumulated_;
};

}  // namespace rlt
