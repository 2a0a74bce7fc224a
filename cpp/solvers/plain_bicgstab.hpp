// BiCGSTAB (van der Vorst 1992) on A x = b, of which only products with A are asked for.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "solvers/bicgstab.hpp"
#include "support/dense_dot.hpp"
#include "support/monitor.hpp"
#include "support/room.hpp"

namespace rlt {

// Calls product(x, out), which sets out = A x. Starts from 0, stops at the relative residual
// wanted, after `most` iterations or where it breaks down, and reports what was reached.
template <class Product>
LinearSolve plain_bicgstab(std::int64_t n, const Product& product, const double* b, double* x,
                           double wanted, std::int64_t most, const Monitor& monitor) {
    const auto size = static_cast<std::size_t>(n);
    const double scale = largest_or_nan(b, n);
    std::fill_n(x, size, 0.0);
    LinearSolve result;
    if (scale == 0.0) return result;
    Room<double> r(b, b + n), shadow(r), p(r), v(size), t(size), best(size, 0.0);
    double best_reached = scale;
    double rho = dense_dot(shadow.data(), r.data(), n);
    while (result.iterations < most && best_reached > wanted * scale) {
        ++result.iterations;
        product(p.data(), v.data());
        const double alpha = rho / dense_dot(shadow.data(), v.data(), n);
        for (std::size_t i = 0; i < size; ++i) r[i] -= alpha * v[i];
        product(r.data(), t.data());
        const double tt = dense_dot(t.data(), t.data(), n);
        const double omega = tt > 0.0 ? dense_dot(t.data(), r.data(), n) / tt : 0.0;
        for (std::size_t i = 0; i < size; ++i) {
            x[i] += alpha * p[i] + omega * r[i];
            r[i] -= omega * t[i];
        }
        const double reached = largest_or_nan(r.data(), n);
        if (!std::isfinite(reached)) break;
        if (reached < best_reached) {
            best_reached = reached;
            std::copy_n(x, size, best.data());
        }
        const double rho_next = dense_dot(shadow.data(), r.data(), n);
        const double beta = (rho_next / rho) * (alpha / omega);
        if (!std::isfinite(beta) || beta == 0.0) break;
        rho = rho_next;
        for (std::size_t i = 0; i < size; ++i) p[i] = r[i] + beta * (p[i] - omega * v[i]);
        monitor();
    }
    std::copy_n(best.data(), size, x);
    product(x, t.data());
    for (std::size_t i = 0; i < size; ++i) t[i] = b[i] - t[i];
    result.relative_residual = largest_or_nan(t.data(), n) / scale;
    return result;
}

}  // namespace rlt
