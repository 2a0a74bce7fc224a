// What regressions in known features remember: for every stage h, of the steps (s, a, s') seen
// there,
//
//     M_h = ridge I + sum phi phi^T,    C_h[s'] = sum of phi over steps to s',
//
// so that sum phi V(s') = sum_s' V(s') C_h[s'] costs O(S d), however many steps were seen; a step
// that ended the episode adds nothing to C_h. A step costs O(d^2). Features are kept by coordinate
// as well, so that products with all pairs run along neighbouring pairs. The squares of the norms
// |phi|_{M_h^-1} of all pairs are made anew by `refresh_norms`; `lower_norms` updates them with one
// step: with g = M^-1 x and u = x^T g they fall by (phi^T g)^2 / (1 + u).
#pragma once

#include <cstdint>
#include <vector>

#include "support/small_dense.hpp"

namespace rlt {

struct LinearSizes {
    std::int64_t stages, states, actions, dimension;
};

class FeatureSums {
public:
    // `features` (S, A, d).
    FeatureSums(LinearSizes sizes, std::vector<double> features, double ridge);

    const LinearSizes& sizes() const { return n_; }
    const Gram& gram(std::int64_t stage) const { return grams_[static_cast<std::size_t>(stage)]; }
    const double* feature(std::int64_t state, std::int64_t action) const {
        return features_.data() + (state * n_.actions + action) * n_.dimension;
    }
    const std::vector<double>& norms2() const { return norms2_; }  // (H, S, A)
    const double* norms2(std::int64_t stage) const {
        return norms2_.data() + stage * n_.states * n_.actions;
    }

    // next = -1 where the episode ended. Returns u.
    double observe(std::int64_t stage, std::int64_t state, std::int64_t action, std::int64_t next);
    // w += sum_s' value(s') C_h[s'].
    void add_values(std::int64_t stage, const double* value, double* w) const;
    // phi^T w of all pairs, until the next call.
    const double* project(const double* w);

    void refresh_norms(std::int64_t stage);
    // After `observe`, which returned u.
    void lower_norms(std::int64_t stage, double u);

private:
    LinearSizes n_;
    std::vector<double> features_, by_coordinate_;  // (S A, d), (d, S A)
    std::vector<Gram> grams_;
    std::vector<double> norms2_, successor_sums_, solved_, along_;
};

}  // namespace rlt
