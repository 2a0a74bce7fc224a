#include "solvers/policy_chain.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "support/dense_dot.hpp"

namespace rlt {

namespace {

// Above this many entries a row an incomplete factorisation costs more than it saves.
constexpr std::int64_t widest_incomplete_row = 64;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

SparseRows rows_of(const ModelView& m, double discount, const std::int64_t* chosen,
                   const bool* targets) {
    SparseRows out;
    auto& [ptr, col, value] = out;
    const auto n = at(m.n_states);
    ptr.reserve(n + 1);
    with_rows(m, [&](const auto& rows) {
        std::size_t entries = n;
        for (std::int64_t s = 0; s < m.n_states; ++s) entries += at(rows.terms(chosen[s]));
        col.reserve(entries);
        value.reserve(entries);
        for (std::int64_t s = 0; s < m.n_states; ++s) {
            const std::int64_t row = chosen[s];
            const double scale = m.defect ? discount / (1.0 + m.defect[row]) : discount;
            bool placed = false;
            std::size_t diagonal = 0;
            const auto place_diagonal = [&](double x) {
                diagonal = col.size();
                col.push_back(static_cast<std::int32_t>(s));
                value.push_back(x);
                placed = true;
            };
            double leaving = rows.exit(row);
            rows.each(row, [&](std::int32_t j, double p) {
                if (j != s) leaving += p;
                if (targets && targets[j]) return;
                if (j == s) {
                    place_diagonal(1.0 - scale * p);
                    return;
                }
                if (j > s && !placed) place_diagonal(1.0);
                col.push_back(j);
                value.push_back(-scale * p);
            });
            if (!placed) place_diagonal(1.0);
            // At discount 1, 1 - P(s | s) is what leaves: that sum does not cancel.
            if (discount == 1.0 && !(targets && targets[s])) value[diagonal] = scale * leaving;
            ptr.push_back(static_cast<std::int64_t>(col.size()));
        }
    });
    return out;
}

double entry(const MatrixRows& rows, std::int64_t i, std::int64_t j) {
    const std::int32_t* const end = rows.col + rows.end(i);
    const std::int32_t* k = rows.col + rows.begin(i);
    if (end - k > 16) k = std::lower_bound(k, end, static_cast<std::int32_t>(j));
    while (k < end && *k < j) ++k;
    return k < end && *k == j ? rows.factor * rows.value[k - rows.col] : 0.0;
}

// Inverse pivots of (D + L) D^-1 (D + U); whether they are as they should be.
bool factor_incomplete(const MatrixRows& rows, const Room<double>& diagonal, double kept_fill,
                       Room<double>& inverse) {
    Room<double> above(inverse.size());  // sums right of the diagonal
    for (std::size_t i = 0; i < inverse.size(); ++i) {
        const auto own = static_cast<std::int64_t>(i);
        double pivot = diagonal[i], others = 0.0;
        for (auto k = rows.begin(own); k < rows.end(own); ++k) {
            const std::int64_t j = rows.col[k];
            if (j >= own) {
                if (j > own) others += rows.factor * rows.value[k];
                continue;
            }
            // Eliminating entry (i, j) adds multiples of the entries of row j right of its
            // diagonal. What does not fall on the diagonal is dropped, and partly taken from there.
            const double fill = kept_fill * above[at(j)] + (1.0 - kept_fill) * entry(rows, j, own);
            pivot -= rows.factor * rows.value[k] * inverse[at(j)] * fill;
        }
        // Not so where rounding has eaten the row's sum.
        if (!(pivot > 0.0 && std::isfinite(pivot) && pivot >= (1.0 - 0x1.0p-30) * -others))
            return false;
        above[i] = others;
        inverse[i] = 1.0 / pivot;
        if (!std::isfinite(inverse[i])) return false;
    }
    return true;
}

}  // namespace

PolicyChain::PolicyChain(const ModelView& m, double discount, const std::int64_t* chosen,
                         const bool* targets) {
    assign(rows_of(m, discount, chosen, targets).view(), careful_fill);
    matrix_.forget_bounds();
}

void PolicyChain::assign(const MatrixRows& rows, double kept_fill) {
    matrix_.assign(rows);
    paths_.assign(rows);
    std::int64_t entries = 0;
    for (std::int64_t i = 0; i < rows.n; ++i) entries += rows.end(i) - rows.begin(i);
    if (rows.n <= dense_limit) {
        lu_.clear();
        if (paths_.empty()) factor_dense();
    } else if (entries <= widest_incomplete_row * rows.n) {
        if (kept_fill > bold_fill && matrix_.keep_fill(kept_fill)) return;
        Room<double>& inverse = matrix_.inverse_pivot;
        kept_fill = std::min(kept_fill, bold_fill);
        if (factor_incomplete(rows, matrix_.diagonal, kept_fill, inverse) ||
            factor_incomplete(rows, matrix_.diagonal, 0.0, inverse))
            return;
        std::transform(matrix_.diagonal.begin(), matrix_.diagonal.end(), inverse.begin(),
                       [](double x) { return 1.0 / x; });
    }
}

bool PolicyChain::replace(const MatrixRows& rows, const Room<std::int32_t>& which) {
    if (!lu_.empty() || !paths_.empty()) return false;
    matrix_.replace(rows, which);
    return matrix_.keep_fill(ordered_fill);
}

void PolicyChain::factor_dense() {
    const SparseRows rows = matrix_.rows();
    const auto n = at(size());
    lu_.assign(n * n, 0.0);
    pivot_.resize(n);
    for (std::size_t i = 0; i < n; ++i)
        for (auto k = at(rows.ptr[i]); k < at(rows.ptr[i + 1]); ++k)
            lu_[i * n + at(rows.col[k])] = rows.value[k];
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t p = k;
        for (std::size_t i = k + 1; i < n; ++i)
            if (std::abs(lu_[i * n + k]) > std::abs(lu_[p * n + k])) p = i;
        pivot_[k] = static_cast<std::int32_t>(p);
        if (p != k) std::swap_ranges(&lu_[k * n], &lu_[k * n] + n, &lu_[p * n]);
        for (std::size_t i = k + 1; i < n; ++i) {
            double* row = &lu_[i * n];
            if (row[k] == 0.0) continue;
            const double factor = row[k] /= lu_[k * n + k];
            for (std::size_t j = k + 1; j < n; ++j) row[j] -= factor * lu_[k * n + j];
        }
    }
}

void PolicyChain::solve_dense(double* x, bool transposed) const {
    const auto n = at(size());
    if (!transposed) {
        for (std::size_t k = 0; k < n; ++k) std::swap(x[k], x[static_cast<std::size_t>(pivot_[k])]);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < i; ++j) x[i] -= lu_[i * n + j] * x[j];
        for (std::size_t i = n; i-- > 0;) {
            for (std::size_t j = i + 1; j < n; ++j) x[i] -= lu_[i * n + j] * x[j];
            x[i] /= lu_[i * n + i];
        }
        return;
    }
    for (std::size_t i = 0; i < n; ++i) {
        x[i] /= lu_[i * n + i];
        for (std::size_t j = i + 1; j < n; ++j) x[j] -= lu_[i * n + j] * x[i];
    }
    for (std::size_t i = n; i-- > 0;)
        for (std::size_t j = 0; j < i; ++j) x[j] -= lu_[i * n + j] * x[i];
    for (std::size_t k = n; k-- > 0;) std::swap(x[k], x[static_cast<std::size_t>(pivot_[k])]);
}

LinearSolve PolicyChain::solve(const double* b, double* x, double wanted, std::int64_t most,
                               bool transposed, const Monitor& monitor) const {
    KrylovRoom room;
    if (!transposed) return solve(b, x, wanted, most, room, monitor);
    SplitMatrix other;
    other.assign(matrix_.rows().transposed().view());
    if (lu_.empty() && size() <= dense_limit) {
        PolicyChain factored(*this);
        factored.factor_dense();
        return factored.solve_by_factors(other, b, x, true);
    }
    if (lu_.empty()) {
        // Pivots of the factors are those of their transposes.
        other.inverse_pivot = matrix_.inverse_pivot;
        return bicgstab(other, b, x, wanted, most, room, monitor);
    }
    return solve_by_factors(other, b, x, true);
}

LinearSolve PolicyChain::solve(const double* b, double* x, double wanted, std::int64_t most,
                               KrylovRoom& room, const Monitor& monitor) const {
    if (!lu_.empty() || !paths_.empty()) return solve_by_factors(matrix_, b, x, false);
    return bicgstab(matrix_, b, x, wanted, most, room, monitor);
}

LinearSolve PolicyChain::solve_by_factors(const SplitMatrix& matrix, const double* b, double* x,
                                          bool transposed) const {
    const double scale = largest_or_nan(b, size());
    std::copy_n(b, size(), x);
    if (scale == 0.0) return {};
    if (!transposed && !paths_.empty())
        paths_.solve(x);
    else
        solve_dense(x, transposed);
    Room<double> r(at(size()));
    return {1, matrix.residual(b, x, r.data()) / scale};
}

}  // namespace rlt
