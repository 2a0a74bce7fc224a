#include "solvers/bicgstab.hpp"

#include <algorithm>
#include <cmath>

#include "support/dense_dot.hpp"
#include "support/inlined.hpp"

namespace rlt {

namespace {

constexpr std::int64_t most_without_gain = 200;  // iterations
constexpr int most_shadows = 2;

// shadow = r with each entry scaled by a number in [-1, 1) of its own.
void scatter(const Room<double>& r, Room<double>& shadow) {
    std::uint64_t state = 0;
    for (std::size_t i = 0; i < r.size(); ++i) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        shadow[i] = r[i] * (static_cast<double>(state >> 11) * 0x1.0p-52 - 1.0);
    }
}

}  // namespace

LinearSolve bicgstab(const SplitMatrix& a, const double* b, double* x, double wanted,
                     std::int64_t most, KrylovRoom& room, const Monitor& monitor) {
    const auto n = static_cast<std::size_t>(a.size());
    const double scale = largest_or_nan(b, a.size());
    if (scale == 0.0) {
        std::fill_n(x, n, 0.0);
        return {};
    }
    for (auto* vector :
         {&room.r, &room.shadow, &room.p, &room.v, &room.t, &room.y, &room.w, &room.z, &room.best})
        vector->resize(n);
    double *r = room.r.data(), *p = room.p.data(), *v = room.v.data(), *t = room.t.data(),
           *y = room.y.data(), *w = room.w.data(), *z = room.z.data();
    double* shadow = room.shadow.data();
    const double *inverse = a.inverse_pivot.data(), *diagonal = a.diagonal.data();
    // out_i = (C1^-1 A C2^-1 from)_i, with image = C2^-1 from.
    const auto product = [&](std::int32_t i, const auto& less, const double* from,
                             const double* image, double* out) RLT_INLINED {
        z[i] = less(from[i] + (diagonal[i] * inverse[i] - 2.0) * image[i], inverse[i], z);
        return out[i] = image[i] + z[i];
    };

    std::copy_n(x, n, room.best.data());
    LinearSolve result;
    double best_reached = scale;
    if (std::all_of(x, x + n, [](double xi) { return xi == 0.0; }))
        std::copy_n(b, n, r);
    else
        best_reached = a.residual(b, x, r);
    // It may break down or lose its residual to rounding: it is then started again from the best x
    // so far, and given up when a start gains nothing; not before another shadow was tried, since
    // one that is nearly orthogonal to what matters leads nowhere.
    int shadows = 1;
    double enough = wanted * scale;
    while (best_reached > enough && result.iterations < most) {
        const double at_start = best_reached;
        if (shadows == 1)
            room.shadow = room.r;
        else
            scatter(room.r, room.shadow);
        // C1^T shadow, whose products with what is between the factors are those of the shadow.
        a.below.ascending([&](std::int32_t i, const auto& row) {
            row.each([&](std::int32_t j, double l) { shadow[j] += l * shadow[i]; });
            shadow[i] /= inverse[i];
        });
        a.below.ascending([&](std::int32_t i, const auto& less)
                              RLT_INLINED { r[i] = less(r[i] * inverse[i], inverse[i], r); });
        // Triangles read what they fill up with.
        for (auto* vector : {&room.p, &room.v, &room.t, &room.y, &room.w, &room.z})
            std::fill(vector->begin(), vector->end(), 0.0);
        std::int64_t last_gain = result.iterations;
        double rho = 1.0, alpha = 1.0, omega = 1.0;
        double rho_next = dense_dot(shadow, r, a.size());
        while (result.iterations < most) {
            const double beta = (rho_next / rho) * (alpha / omega);
            if (!std::isfinite(beta) || rho_next == 0.0) break;
            rho = rho_next;
            a.above.descending([&](std::int32_t i, const auto& less) RLT_INLINED {
                p[i] = r[i] + beta * (p[i] - omega * v[i]);
                y[i] = less(p[i], inverse[i], y);
            });
            double shadow_v = 0.0;
            a.below.ascending([&](std::int32_t i, const auto& less) RLT_INLINED {
                shadow_v += shadow[i] * product(i, less, p, y, v);
            });
            alpha = rho / shadow_v;
            if (!std::isfinite(alpha)) break;
            a.above.descending([&](std::int32_t i, const auto& less) RLT_INLINED {
                r[i] -= alpha * v[i];
                w[i] = less(r[i], inverse[i], w);
            });
            double tt = 0.0, tr = 0.0;
            a.below.ascending([&](std::int32_t i, const auto& less) RLT_INLINED {
                const double own = less(product(i, less, r, w, t) / inverse[i], -1.0, t);
                tt += own * own;
                tr += own * less(r[i] / inverse[i], -1.0, r);
            });
            omega = tt > 0.0 ? tr / tt : 0.0;
            double largest = 0.0, reached = 0.0, doubt = 0.0;
            rho_next = 0.0;
            a.below.ascending([&](std::int32_t i, const auto& less) RLT_INLINED {
                x[i] += alpha * y[i] + omega * w[i];
                largest = std::max(largest, std::abs(x[i]));
                r[i] -= omega * t[i];
                rho_next += shadow[i] * r[i];
                // C1 r is the residual of x.
                const double own = less(r[i] / inverse[i], -1.0, r);
                reached = std::max(reached, std::abs(own));
                doubt += own - own;
            });
            reached += doubt;
            // Rounding of x alone leaves as much.
            enough = std::max(wanted * scale, 8.0 * 0x1.0p-53 * largest);
            ++result.iterations;
            if (!std::isfinite(reached)) break;
            if (reached < best_reached) {
                best_reached = reached;
                last_gain = result.iterations;
                std::copy_n(x, n, room.best.data());
                if (reached <= enough) break;
            }
            if (omega == 0.0) break;
            if (reached > 1e6 * best_reached) break;
            if (result.iterations - last_gain >= most_without_gain) break;
            monitor();
        }
        std::copy_n(room.best.data(), n, x);
        best_reached = a.residual(b, x, r);
        if (!(best_reached < 0.5 * at_start) && ++shadows > most_shadows) break;
    }
    result.relative_residual = best_reached / scale;
    return result;
}

}  // namespace rlt
