#include "learning/feature_sums.hpp"

#include <algorithm>

namespace rlt {

namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

FeatureSums::FeatureSums(LinearSizes sizes, std::vector<double> features, double ridge)
    : n_(sizes),
      features_(std::move(features)),
      by_coordinate_(features_.size()),
      grams_(size(n_.stages), Gram(n_.dimension, ridge)),
      norms2_(size(n_.stages * n_.states * n_.actions)),
      successor_sums_(size(n_.stages * n_.states * n_.dimension), 0.0),
      solved_(size(n_.dimension)),
      along_(size(n_.states * n_.actions)) {
    const std::int64_t pairs = n_.states * n_.actions, d = n_.dimension;
    for (std::int64_t pair = 0; pair < pairs; ++pair)
        for (std::int64_t j = 0; j < d; ++j)
            by_coordinate_[size(j * pairs + pair)] = features_[size(pair * d + j)];
    for (std::int64_t h = 0; h < n_.stages; ++h) refresh_norms(h);
}

const double* FeatureSums::project(const double* w) {
    const std::int64_t pairs = n_.states * n_.actions;
    double* out = along_.data();
    std::fill(out, out + pairs, 0.0);
    for (std::int64_t j = 0; j < n_.dimension; ++j) {
        const double* column = by_coordinate_.data() + j * pairs;
        const double factor = w[j];
        for (std::int64_t pair = 0; pair < pairs; ++pair) out[pair] += factor * column[pair];
    }
    return out;
}

void FeatureSums::add_values(std::int64_t stage, const double* value, double* w) const {
    const std::int64_t S = n_.states, d = n_.dimension;
    const double* sums = successor_sums_.data() + stage * S * d;
    for (std::int64_t s = 0; s < S; ++s)
        if (value[s] != 0.0)
            for (std::int64_t j = 0; j < d; ++j) w[j] += value[s] * sums[s * d + j];
}

double FeatureSums::observe(std::int64_t stage, std::int64_t state, std::int64_t action,
                            std::int64_t next) {
    const double* x = feature(state, action);
    const double u = grams_[size(stage)].update(x, 1.0, solved_.data());
    if (next >= 0)
        for (std::int64_t j = 0; j < n_.dimension; ++j)
            successor_sums_[size((stage * n_.states + next) * n_.dimension + j)] += x[j];
    return u;
}

void FeatureSums::refresh_norms(std::int64_t stage) {
    const std::int64_t pairs = n_.states * n_.actions, d = n_.dimension;
    double* norm2 = norms2_.data() + stage * pairs;
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
        std::copy_n(features_.data() + pair * d, d, solved_.data());
        norm2[pair] = gram(stage).norm2(solved_.data());
    }
}

void FeatureSums::lower_norms(std::int64_t stage, double u) {
    const std::int64_t pairs = n_.states * n_.actions;
    double* norm2 = norms2_.data() + stage * pairs;
    project(solved_.data());
    const double scale = 1.0 + u;
    for (std::int64_t pair = 0; pair < pairs; ++pair)
        norm2[pair] -= along_[size(pair)] * along_[size(pair)] / scale;
}

}  // namespace rlt
