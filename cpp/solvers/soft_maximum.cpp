#include "solvers/soft_maximum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rlt {

namespace {

constexpr double u = 0x1.0p-53;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double tiny = 0x1.0p-1060;  // of one operation that underflows, generously
constexpr double least_probability = 0x1.0p-1000;

struct Range {
    double top = -infinity;
    double bottom = infinity;
    double best = -infinity;  // max x + tau log rho
    std::int64_t top_at = 0;
    std::int64_t best_at = 0;
};

Range range_of(const double* x, ReferenceLaw rho, double temperature) {
    Range r;
    for (std::int64_t a = 0; a < rho.n; ++a) {
        if (rho.log_weight[a] == -infinity) continue;
        if (x[a] > r.top) {
            r.top = x[a];
            r.top_at = a;
        }
        r.bottom = std::min(r.bottom, x[a]);
        const double z = x[a] + temperature * rho.log_weight[a];
        if (z > r.best) {
            r.best = z;
            r.best_at = a;
        }
    }
    return r;
}

bool is_flat(const Range& r, double temperature) { return r.top - r.bottom <= 0.5 * temperature; }

// Relative error of a weight, and error of its logarithm.
double law_error(ReferenceLaw rho, std::int64_t a) {
    return (static_cast<double>(rho.n) + 24.0 + 8.0 * std::abs(rho.log_weight[a])) * u;
}

// The exponent of action a in the second form, and its error.
struct Exponent {
    double value;
    double error;
};

Exponent exponent_of(const double* x, ReferenceLaw rho, double temperature, std::int64_t pivot,
                     std::int64_t a) {
    if (a == pivot) return {0.0, 0.0};
    const double e = (x[a] - x[pivot]) / temperature;
    const double k = rho.log_weight[a] - rho.log_weight[pivot];
    // Far below every exponent of a double: 0 beyond any doubt.
    if (e == -infinity && std::abs(k) < 1e300) return {-infinity, 0.0};
    return {e + k, 5.0 * u * (std::abs(e) + std::abs(k)) + law_error(rho, a) +
                       law_error(rho, pivot) + tiny};
}

// The soft maximum; what each action adds to the sum goes to term(a, weight).
template <class Term>
double soft_sum(const double* x, ReferenceLaw rho, double temperature, Term&& term) {
    const Range r = range_of(x, rho, temperature);
    double sum = 0.0;
    if (is_flat(r, temperature)) {
        for (std::int64_t a = 0; a < rho.n; ++a) {
            if (rho.log_weight[a] == -infinity) continue;
            const double change = rho.weight[a] * std::expm1((x[a] - r.top) / temperature);
            sum += change;
            term(a, rho.weight[a] + change);
        }
        return r.top + temperature * std::log1p(sum);
    }
    const double pivot = x[r.best_at], shift = rho.log_weight[r.best_at];
    for (std::int64_t a = 0; a < rho.n; ++a) {
        if (rho.log_weight[a] == -infinity) continue;
        const double weight = std::exp((x[a] - pivot) / temperature + (rho.log_weight[a] - shift));
        sum += weight;
        term(a, weight);
    }
    return pivot + temperature * (shift + std::log(sum));
}

}  // namespace

double soft_maximum(const double* x, ReferenceLaw rho, double temperature) {
    return soft_sum(x, rho, temperature, [](std::int64_t, double) {});
}

double soft_law(const double* x, ReferenceLaw rho, double temperature, double* law) {
    std::fill_n(law, rho.n, 0.0);
    double total = 0.0;
    const double value = soft_sum(x, rho, temperature, [&](std::int64_t a, double weight) {
        law[a] = weight;
        total += weight;
    });
    for (std::int64_t a = 0; a < rho.n; ++a) law[a] /= total;
    return value;
}

BoundedSoftMaximum bounded_soft_maximum(const double* x, ReferenceLaw rho, double temperature) {
    const Range r = range_of(x, rho, temperature);
    const double n = static_cast<double>(rho.n);
    BoundedSoftMaximum m{};
    m.flat = is_flat(r, temperature);
    double log_error = 0.0, logarithm = 0.0;
    if (m.flat) {
        double sum = 0.0, error = n * tiny;
        for (std::int64_t a = 0; a < rho.n; ++a) {
            if (rho.log_weight[a] == -infinity) continue;
            const double term = rho.weight[a] * std::expm1((x[a] - r.top) / temperature);
            sum += term;
            error += (law_error(rho, a) + (n + 16.0) * u) * std::abs(term);
        }
        m.pivot = r.top_at;
        m.log_sum = logarithm = std::log1p(sum);
        m.sum_error = error <= 0.01 ? 1.7 * error : infinity;
        log_error = m.sum_error + 9.0 * u * std::abs(logarithm);
    } else {
        double sum = 0.0, error = n * tiny;
        for (std::int64_t a = 0; a < rho.n; ++a) {
            if (rho.log_weight[a] == -infinity) continue;
            const Exponent t = exponent_of(x, rho, temperature, r.best_at, a);
            const double term = std::exp(t.value);
            sum += term;
            error += t.error <= 1.0 ? 1.75 * t.error * term : term + std::exp(t.value + t.error);
        }
        const double relative = error / sum + (n + 12.0) * u;
        const double shift = rho.log_weight[r.best_at];
        m.pivot = r.best_at;
        m.log_sum = std::log(sum);
        m.sum_error = relative <= 0.25 ? 1.25 * relative : infinity;
        logarithm = shift + m.log_sum;
        log_error = m.sum_error + 9.0 * u * std::abs(m.log_sum) + law_error(rho, r.best_at) +
                    2.0 * u * std::abs(logarithm);
    }
    m.value = x[m.pivot] + temperature * logarithm;
    m.error = (temperature * log_error + u * std::abs(m.value) + tiny) * (1.0 + 0x1.0p-30);
    if (!std::isfinite(m.value) || !(m.error < infinity)) m.error = infinity;
    return m;
}

double soft_greedy(const double* x, const double* x_error, double value_error, ReferenceLaw rho,
                   double temperature, const BoundedSoftMaximum& m, double* policy,
                   double* log_policy) {
    const double n = static_cast<double>(rho.n);
    // Common to all actions: the error of the sum, and how far the exact one is from it.
    const double common = 2.0 * m.sum_error + (n + 40.0) * u + value_error / temperature;
    double second_order = 0.0, largest = 0.0, total = 0.0;
    std::int64_t allowed = 0;
    for (std::int64_t a = 0; a < rho.n; ++a) {
        allowed += rho.log_weight[a] != -infinity;
        if (rho.log_weight[a] == -infinity) {
            policy[a] = 0.0;
            log_policy[a] = -infinity;
            continue;
        }
        double exponent, ratio, own;
        if (m.flat) {
            const double y = (x[a] - x[m.pivot]) / temperature;
            ratio = rho.weight[a] * (1.0 + std::expm1(y)) / (1.0 + std::expm1(m.log_sum));
            exponent = rho.log_weight[a] + y - m.log_sum;
            own = law_error(rho, a);
        } else {
            const Exponent t = exponent_of(x, rho, temperature, m.pivot, a);
            exponent = t.value - m.log_sum;
            ratio = std::exp(t.value) / std::exp(m.log_sum);
            own = t.error;
        }
        const double off = (own + x_error[a] / temperature + common) * (1.0 + 0x1.0p-30);
        policy[a] = ratio < least_probability ? 0.0 : ratio;
        log_policy[a] = std::max(exponent, -std::numeric_limits<double>::max());
        total += policy[a];
        if (policy[a] > 0.0) {
            largest = std::max(largest, off);
            second_order += 4.0 * off * off * policy[a];
        } else {
            second_order += std::exp(std::min(0.0, exponent + off)) + tiny;
        }
    }
    for (std::int64_t a = 0; a < rho.n; ++a) policy[a] /= total;
    if (allowed == 1) return 0.0;  // there is no other policy
    const double first_order = 2.0 * largest;
    const double bound = largest <= 0.25 ? std::min(first_order, second_order) : first_order;
    // What was set to 0 makes the rest larger by as much.
    return bound * (1.0 + 0x1.0p-30) + n * 0x1.0p-990;
}

}  // namespace rlt
