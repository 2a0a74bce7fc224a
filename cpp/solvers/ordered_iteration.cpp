#include "solvers/ordered_iteration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "solvers/backups.hpp"
#include "solvers/lazy_backups.hpp"
#include "solvers/ordered_rows.hpp"
#include "solvers/policy_chain.hpp"
#include "support/float_mode.hpp"

namespace rlt {

namespace {

constexpr int most_sweeps = 16;           // of improvement between two solutions
constexpr int most_krylov_steps = 500;    // of one solution
constexpr int many_krylov_steps = 60;     // for one more digit: other factors may do better
constexpr double wanted_reduction = 0.1;  // of a solution while actions change
constexpr int most_idle_rounds = 50;
constexpr int most_failures = 3;   // solutions in a row that do not halve their residual
constexpr int most_rounds = 2000;  // values may rise by nearly nothing, again and again

bool worth_going_on(const Sweep& first, const Sweep& last) {
    return static_cast<double>(last.switched) > 0.1 * static_cast<double>(first.switched);
}

}  // namespace

Iterations ordered_policy_iteration(const ModelView& m, double discount, Target target,
                                    double* value, std::int64_t* rows, const Monitor& monitor) {
    const StandardFloatMode mode;
    OrderedRows ordered(m, discount, backward_order(m));
    const auto n = static_cast<std::size_t>(m.n_states);
    std::vector<double> v(n), residual(n), step(n), tried(n);
    ordered.gather(value, v.data());
    Iterations result;
    std::optional<PolicyChain> chain;

    const auto one_sweep = [&](bool backwards) {
        ++result.sweeps;
        monitor();
        return ordered.improve(v.data(), backwards);
    };
    const auto improve = [&] {
        // As long as sweeps keep changing actions: a front is then on its way.
        const Sweep first = one_sweep(false);
        Sweep last = one_sweep(false);
        std::int64_t switched = first.switched + last.switched;
        for (int sweeps = 2; sweeps < most_sweeps && worth_going_on(first, last); ++sweeps) {
            last = one_sweep(false);
            switched += last.switched;
        }
        return Sweep{last.change, switched};
    };
    int failures = 0;
    double kept_fill = PolicyChain::bold_fill;
    // A step towards the value of the present policy, taken where that leaves a smaller residual.
    const auto solve = [&](bool same_policy, double least_residual, double reduction) {
        const double before = ordered.residual(v.data(), residual.data());
        if (!chain || !same_policy) chain.emplace(ordered.chain(kept_fill));
        if (before > 0.0) reduction = std::min(reduction, std::max(1e-13, least_residual / before));
        std::fill(step.begin(), step.end(), 0.0);
        const LinearSolve solved = chain->solve(residual.data(), step.data(), reduction,
                                                most_krylov_steps, false, monitor);
        result.sweeps += solved.iterations;
        for (std::size_t i = 0; i < n; ++i) tried[i] = v[i] + step[i];
        const double after = ordered.residual(tried.data(), residual.data());
        failures = after < 0.5 * before ? 0 : failures + 1;
        if (solved.iterations > many_krylov_steps && kept_fill > PolicyChain::careful_fill) {
            kept_fill = PolicyChain::careful_fill;
            chain.reset();
            failures = 0;
        }
        if (after < before) std::swap(v, tried);
    };
    // A constant says nothing: the first policy is valued before it is improved.
    if (std::all_of(v.begin(), v.end(), [&](double x) { return x == v[0]; })) {
        ordered.begin(tried.data());
        solve(false, std::numeric_limits<double>::infinity(), wanted_reduction);
    }
    Sweep sweep = improve();
    sweep.switched = 1;  // there is no chain yet
    double least = std::numeric_limits<double>::infinity();
    double most = -std::numeric_limits<double>::infinity();
    for (int idle = 0, round = 0; idle < most_idle_rounds && round < most_rounds; ++idle, ++round) {
        const double largest = largest_magnitude(v.data(), m.n_states);
        const double wanted =
            (1.0 - discount) * std::max(target.absolute, target.relative * largest);
        const double rounding = 16.0 * (unit_roundoff * largest + 0x1.0p-1074);
        result.converged = sweep.change <= std::max(wanted, rounding);
        if (result.converged || !std::isfinite(sweep.change) || failures == most_failures) break;
        // Either changes become smaller or values rise, as they do under better policies.
        const double mean = std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(n);
        if (sweep.change < 0.9 * least || mean > most + 1e-12 * largest) idle = 0;
        least = std::min(least, sweep.change);
        most = std::max(most, mean);

        const bool settled = sweep.switched == 0;
        solve(settled, settled ? 0.5 * wanted : std::numeric_limits<double>::infinity(),
              wanted_reduction);
        sweep = improve();
    }
    ordered.scatter(v.data(), value);
    ordered.chosen_rows(m, rows);
    return result;
}

}  // namespace rlt
