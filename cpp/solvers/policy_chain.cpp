#include "solvers/policy_chain.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "support/dense_dot.hpp"

namespace rlt {

namespace {

// Above this many entries a row an incomplete factorisation costs more than it saves.
constexpr std::int64_t widest_incomplete_row = 64;

constexpr std::int64_t most_without_gain = 200;  // iterations
constexpr int most_shadows = 2;

// shadow = r with each entry scaled by a number in [-1, 1) of its own.
void scatter(const std::vector<double>& r, std::vector<double>& shadow) {
    std::uint64_t state = 0;
    for (std::size_t i = 0; i < r.size(); ++i) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        shadow[i] = r[i] * (static_cast<double>(state >> 11) * 0x1.0p-52 - 1.0);
    }
}

double norm(const double* x, std::int64_t n) {
    double largest = 0.0;
    for (std::int64_t i = 0; i < n; ++i) {
        if (std::isnan(x[i])) return x[i];
        largest = std::max(largest, std::abs(x[i]));
    }
    return largest;
}

double inner(const std::vector<double>& x, const std::vector<double>& y) {
    return dense_dot(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
}

}  // namespace

PolicyChain::PolicyChain(const ModelView& m, double discount, const std::int64_t* chosen,
                         const bool* targets)
    : n_(m.n_states) {
    const auto n = static_cast<std::size_t>(n_);
    ptr_.reserve(n + 1);
    ptr_.push_back(0);
    with_rows(m, [&](const auto& rows) {
        std::size_t entries = n;
        for (std::int64_t s = 0; s < n_; ++s)
            rows.each(chosen[s], [&](std::int32_t j, double) { entries += j != s; });
        col_.reserve(entries);
        value_.reserve(entries);
        for (std::int64_t s = 0; s < n_; ++s) {
            const std::int64_t row = chosen[s];
            const double scale = m.defect ? discount / (1.0 + m.defect[row]) : discount;
            bool placed = false;
            std::size_t diagonal = 0;
            const auto place_diagonal = [&](double value) {
                diagonal = col_.size();
                col_.push_back(static_cast<std::int32_t>(s));
                value_.push_back(value);
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
                col_.push_back(j);
                value_.push_back(-scale * p);
            });
            if (!placed) place_diagonal(1.0);
            // At discount 1, 1 - P(s | s) is what leaves: that sum does not cancel.
            if (discount == 1.0 && !(targets && targets[s])) value_[diagonal] = scale * leaving;
            ptr_.push_back(static_cast<std::int64_t>(col_.size()));
        }
    });
    factor(careful_fill);
}

PolicyChain::PolicyChain(std::vector<std::int64_t> ptr, std::vector<std::int32_t> col,
                         std::vector<double> value, double kept_fill)
    : n_(static_cast<std::int64_t>(ptr.size()) - 1),
      ptr_(std::move(ptr)),
      col_(std::move(col)),
      value_(std::move(value)) {
    factor(kept_fill);
}

void PolicyChain::factor(double kept_fill) {
    if (n_ <= dense_limit) {
        factor_dense();
    } else if (static_cast<std::int64_t>(col_.size()) <= widest_incomplete_row * n_) {
        if (!factor_incomplete(kept_fill) && !factor_incomplete(0.0)) inverse_pivot_.clear();
    }
}

void PolicyChain::factor_dense() {
    const auto n = static_cast<std::size_t>(n_);
    lu_.assign(n * n, 0.0);
    pivot_.resize(n);
    for (std::size_t i = 0; i < n; ++i)
        for (auto k = ptr_[i]; k < ptr_[i + 1]; ++k)
            lu_[i * n + static_cast<std::size_t>(col_[static_cast<std::size_t>(k)])] =
                value_[static_cast<std::size_t>(k)];
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
    const auto n = static_cast<std::size_t>(n_);
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

bool PolicyChain::factor_incomplete(double kept_fill) {
    inverse_pivot_.resize(static_cast<std::size_t>(n_));
    std::vector<double> above(static_cast<std::size_t>(n_));  // sums right of the diagonal
    for (std::int64_t i = 0; i < n_; ++i) {
        double pivot = 0.0, others = 0.0;
        for (auto k = ptr_[static_cast<std::size_t>(i)]; k < ptr_[static_cast<std::size_t>(i) + 1];
             ++k) {
            const double x = value_[static_cast<std::size_t>(k)];
            const std::int32_t j = col_[static_cast<std::size_t>(k)];
            if (j >= i) {
                (j == i ? pivot : others) += x;
                continue;
            }
            // Eliminating entry (i, j) adds multiples of the entries of row j right of its
            // diagonal. What does not fall on the diagonal is dropped, and partly taken from there.
            const std::int32_t* const begin = col_.data() + ptr_[static_cast<std::size_t>(j)];
            const std::int32_t* const end = col_.data() + ptr_[static_cast<std::size_t>(j) + 1];
            const std::int32_t* const to =
                std::lower_bound(begin, end, static_cast<std::int32_t>(i));
            double fill = kept_fill * above[static_cast<std::size_t>(j)];
            if (to != end && *to == i)
                fill += (1.0 - kept_fill) * value_[static_cast<std::size_t>(to - col_.data())];
            pivot -= x * inverse_pivot_[static_cast<std::size_t>(j)] * fill;
        }
        // Not so where rounding has eaten the row's sum.
        if (!(pivot > 0.0 && std::isfinite(pivot) && pivot >= (1.0 - 0x1.0p-30) * -others))
            return false;
        above[static_cast<std::size_t>(i)] = others;
        inverse_pivot_[static_cast<std::size_t>(i)] = 1.0 / pivot;
        if (!std::isfinite(inverse_pivot_[static_cast<std::size_t>(i)])) return false;
    }
    return true;
}

void PolicyChain::multiply(const double* x, double* out, bool transposed) const {
    if (transposed) std::fill_n(out, n_, 0.0);
    for (std::int64_t i = 0; i < n_; ++i) {
        const auto begin = ptr_[static_cast<std::size_t>(i)];
        const auto end = ptr_[static_cast<std::size_t>(i) + 1];
        if (transposed) {
            for (auto k = begin; k < end; ++k)
                out[col_[static_cast<std::size_t>(k)]] +=
                    value_[static_cast<std::size_t>(k)] * x[i];
        } else {
            double sum = 0.0;
            for (auto k = begin; k < end; ++k)
                sum += value_[static_cast<std::size_t>(k)] * x[col_[static_cast<std::size_t>(k)]];
            out[i] = sum;
        }
    }
}

// M = (D + L) D^-1 (D + U), with L and U the matrix's own off-diagonal parts.
void PolicyChain::precondition(const double* x, double* out, bool transposed) const {
    std::copy_n(x, n_, out);
    if (inverse_pivot_.empty()) return;
    const std::int64_t* ptr = ptr_.data();
    const std::int32_t* col = col_.data();
    const double* value = value_.data();
    const double* inverse = inverse_pivot_.data();
    if (!transposed) {
        for (std::int64_t i = 0; i < n_; ++i) {
            double sum = out[i];
            for (auto k = ptr[i]; col[k] < i; ++k) sum -= value[k] * out[col[k]];
            out[i] = sum * inverse[i];
        }
        for (std::int64_t i = n_; i-- > 0;) {
            double sum = 0.0;
            for (auto k = ptr[i + 1] - 1; col[k] > i; --k) sum += value[k] * out[col[k]];
            out[i] -= sum * inverse[i];
        }
        return;
    }
    for (std::int64_t i = 0; i < n_; ++i) {
        const double own = out[i] *= inverse[i];
        for (auto k = ptr[i + 1] - 1; col[k] > i; --k) out[col[k]] -= value[k] * own;
    }
    for (std::int64_t i = n_; i-- > 0;) {
        const double own = out[i];
        for (auto k = ptr[i]; col[k] < i; ++k) out[col[k]] -= inverse[col[k]] * value[k] * own;
    }
}

double PolicyChain::residual(const double* b, const double* x, double* r, bool transposed) const {
    multiply(x, r, transposed);
    for (std::int64_t i = 0; i < n_; ++i) r[i] = b[i] - r[i];
    return norm(r, n_);
}

LinearSolve PolicyChain::solve(const double* b, double* x, double wanted, std::int64_t most,
                               bool transposed, const Monitor& monitor) const {
    const auto n = static_cast<std::size_t>(n_);
    const double scale = norm(b, n_);
    if (scale == 0.0) {
        std::fill_n(x, n_, 0.0);
        return {};
    }
    std::vector<double> r(n);
    if (!pivot_.empty()) {
        std::copy_n(b, n_, x);
        solve_dense(x, transposed);
        return {1, residual(b, x, r.data(), transposed) / scale};
    }

    std::vector<double> shadow(n), p(n), v(n), t(n), y(n);
    std::vector<double> best(x, x + n_);
    LinearSolve result;
    double reached = residual(b, x, r.data(), transposed);
    double best_reached = reached;
    // BiCGSTAB may break down or lose its residual to rounding: it is then started again from
    // the best x so far, and given up when a start gains nothing; not before another shadow was
    // tried, since one that is nearly orthogonal to what matters leads nowhere.
    int shadows = 1;
    double enough = wanted * scale;
    while (best_reached > enough && result.iterations < most) {
        const double at_start = best_reached;
        std::copy(best.begin(), best.end(), x);
        residual(b, x, r.data(), transposed);
        if (shadows == 1)
            shadow = r;
        else
            scatter(r, shadow);
        std::int64_t last_gain = result.iterations;
        std::fill(p.begin(), p.end(), 0.0);
        std::fill(v.begin(), v.end(), 0.0);
        double rho = 1.0, alpha = 1.0, omega = 1.0;
        while (result.iterations < most) {
            const double rho_next = inner(shadow, r);
            const double beta = (rho_next / rho) * (alpha / omega);
            if (!std::isfinite(beta) || rho_next == 0.0) break;
            rho = rho_next;
            for (std::size_t i = 0; i < n; ++i) p[i] = r[i] + beta * (p[i] - omega * v[i]);
            precondition(p.data(), y.data(), transposed);
            multiply(y.data(), v.data(), transposed);
            alpha = rho / inner(shadow, v);
            if (!std::isfinite(alpha)) break;
            for (std::size_t i = 0; i < n; ++i) {
                x[i] += alpha * y[i];
                r[i] -= alpha * v[i];
            }
            precondition(r.data(), y.data(), transposed);
            multiply(y.data(), t.data(), transposed);
            const double tt = inner(t, t);
            omega = tt > 0.0 ? inner(t, r) / tt : 0.0;
            double largest = 0.0;
            for (std::size_t i = 0; i < n; ++i) {
                x[i] += omega * y[i];
                r[i] -= omega * t[i];
                largest = std::max(largest, std::abs(x[i]));
            }
            // Rounding of x alone leaves as much.
            enough = std::max(wanted * scale, 8.0 * 0x1.0p-53 * largest);
            ++result.iterations;
            reached = norm(r.data(), n_);
            if (!std::isfinite(reached)) break;
            if (reached < best_reached) {
                best_reached = reached;
                last_gain = result.iterations;
                std::copy_n(x, n_, best.begin());
                if (reached <= enough) break;
            }
            if (omega == 0.0) break;
            if (reached > 1e6 * best_reached) break;
            if (result.iterations - last_gain >= most_without_gain) break;
            monitor();
        }
        best_reached = residual(b, best.data(), r.data(), transposed);
        if (!(best_reached < 0.5 * at_start) && ++shadows > most_shadows) break;
    }
    std::copy(best.begin(), best.end(), x);
    result.relative_residual = residual(b, x, r.data(), transposed) / scale;
    return result;
}

}  // namespace rlt
