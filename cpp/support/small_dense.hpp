// Dense algebra of small size: the regularised Gram matrix of a regression, factored.
//
//     M = ridge I + sum_i w_i x_i x_i^T = U^T U,   U upper triangular, row-major
//
// A new vector updates U by d plane rotations (Golub and Van Loan, Matrix Computations, 6.5.4), at
// O(d^2) and backward stably: nothing is subtracted. M itself is summed with compensation, so that
// it is within a few units of rounding of its size after any number of updates. One row of U^T U is
// compared with M at every update, another one each time, and where they differ by more than
// rounding should, M is factored anew. The log-determinant grows by log(1 + w x^T M^-1 x), a sum of
// terms of one sign.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "support/dense_dot.hpp"
#include "support/double_double.hpp"

namespace rlt {

// M = U^T U, U in place of M; false where M is not positive definite in doubles. Only the upper
// triangle is read and written.
inline bool cholesky(double* u, std::int64_t d) {
    for (std::int64_t k = 0; k < d; ++k) {
        const double pivot = u[k * d + k];
        if (!(pivot > 0.0)) return false;
        const double root = std::sqrt(pivot);
        u[k * d + k] = root;
        for (std::int64_t j = k + 1; j < d; ++j) u[k * d + j] /= root;
        for (std::int64_t i = k + 1; i < d; ++i) {
            const double factor = u[k * d + i];
            for (std::int64_t j = i; j < d; ++j) u[i * d + j] -= factor * u[k * d + j];
        }
    }
    return true;
}

// U^T U + x x^T = U'^T U', in place; x is used up.
inline void rank_one(double* u, std::int64_t d, double* x) {
    for (std::int64_t k = 0; k < d; ++k) {
        if (x[k] == 0.0) continue;
        double* row = u + k * d;
        const double root = std::sqrt(row[k] * row[k] + x[k] * x[k]);
        const double c = row[k] / root, s = x[k] / root;
        row[k] = root;
        for (std::int64_t j = k + 1; j < d; ++j) {
            const double old = row[j];
            row[j] = c * old + s * x[j];
            x[j] = c * x[j] - s * old;
        }
    }
}

// y = U^-T b, in place.
inline void solve_transposed(const double* u, std::int64_t d, double* b) {
    for (std::int64_t k = 0; k < d; ++k) {
        const double y = b[k] / u[k * d + k];
        b[k] = y;
        if (y == 0.0) continue;
        for (std::int64_t j = k + 1; j < d; ++j) b[j] -= y * u[k * d + j];
    }
}

// x = U^-1 y, in place.
inline void solve_upper(const double* u, std::int64_t d, double* y) {
    for (std::int64_t k = d - 1; k >= 0; --k)
        y[k] = (y[k] - dense_dot(u + k * d + k + 1, y + k + 1, d - k - 1)) / u[k * d + k];
}

class Gram {
public:
    Gram(std::int64_t d, double ridge)
        : d_(d),
          matrix_(static_cast<std::size_t>(d * d), 0.0),
          lost_(static_cast<std::size_t>(d * d), 0.0),
          factor_(static_cast<std::size_t>(d * d), 0.0),
          scratch_(static_cast<std::size_t>(d)) {
        for (std::int64_t k = 0; k < d; ++k) {
            matrix_[static_cast<std::size_t>(k * d + k)] = ridge;
            factor_[static_cast<std::size_t>(k * d + k)] = std::sqrt(ridge);
        }
    }

    // M += weight x x^T. Returns u = weight x^T M^-1 x, and M^-1 x in `solved`, with M as it was.
    double update(const double* x, double weight, double* solved) {
        for (std::int64_t k = 0; k < d_; ++k) solved[k] = x[k];
        solve_transposed(factor_.data(), d_, solved);
        const double u = weight * dense_dot(solved, solved, d_);
        solve_upper(factor_.data(), d_, solved);
        const double root = std::sqrt(weight);
        for (std::int64_t i = 0; i < d_; ++i) {
            const double scaled = weight * x[i];
            for (std::int64_t j = i; j < d_; ++j) {
                const auto at = static_cast<std::size_t>(i * d_ + j);
                const auto [sum, error] = two_sum(matrix_[at], scaled * x[j]);
                matrix_[at] = sum;
                lost_[at] += error;
            }
            scratch_[static_cast<std::size_t>(i)] = root * x[i];
        }
        rank_one(factor_.data(), d_, scratch_.data());
        log_det_ratio_ += std::log1p(u);
        if (row_is_off(updates_++ % d_)) refactor();
        return u;
    }

    // M^-1 b, in place.
    void solve(double* b) const {
        solve_transposed(factor_.data(), d_, b);
        solve_upper(factor_.data(), d_, b);
    }

    // x^T M^-1 x; x is used up.
    double norm2(double* x) const {
        solve_transposed(factor_.data(), d_, x);
        return dense_dot(x, x, d_);
    }

    std::int64_t dimension() const { return d_; }
    std::int64_t updates() const { return updates_; }
    std::int64_t refactored() const { return refactored_; }
    // log det M - d log ridge
    double log_det_ratio() const { return log_det_ratio_; }
    // M_ij, i <= j.
    double entry(std::int64_t i, std::int64_t j) const {
        const auto at = static_cast<std::size_t>(i * d_ + j);
        return matrix_[at] + lost_[at];
    }

private:
    // Row i of U^T U against that of M, from the diagonal to the right.
    bool row_is_off(std::int64_t i) const {
        const double allowed = 64.0 * static_cast<double>(d_ + 1) * 0x1.0p-53;
        const double most = allowed * allowed * entry(i, i);
        for (std::int64_t j = i; j < d_; ++j) {
            double off = -entry(i, j);
            for (std::int64_t k = 0; k <= i; ++k)
                off += factor_[static_cast<std::size_t>(k * d_ + i)] *
                       factor_[static_cast<std::size_t>(k * d_ + j)];
            if (off * off > most * entry(j, j)) return true;
        }
        return false;
    }

    void refactor() {
        std::vector<double> fresh(factor_.size(), 0.0);
        for (std::int64_t i = 0; i < d_; ++i)
            for (std::int64_t j = i; j < d_; ++j)
                fresh[static_cast<std::size_t>(i * d_ + j)] = entry(i, j);
        if (!cholesky(fresh.data(), d_)) return;  // the updated factor is better
        factor_.swap(fresh);
        ++refactored_;
    }

    std::int64_t d_;
    std::vector<double> matrix_, lost_, factor_, scratch_;
    double log_det_ratio_ = 0.0;
    std::int64_t updates_ = 0, refactored_ = 0;
};

}  // namespace rlt
