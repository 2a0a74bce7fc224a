#include "solvers/ordered_iteration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "solvers/backups.hpp"
#include "solvers/backward_order.hpp"
#include "solvers/lazy_backups.hpp"
#include "solvers/ordered_equations.hpp"
#include "solvers/ordered_rows.hpp"
#include "solvers/policy_chain.hpp"
#include "support/float_mode.hpp"

namespace rlt {

namespace {

constexpr int most_sweeps = 16;            // of improvement between two solutions
constexpr int sweeps_one_way = 5;          // before every other one goes backwards
constexpr int many_for_one_changed = 100;  // states, so that the next sweep goes backwards
constexpr int most_krylov_steps = 500;     // of one solution
constexpr int many_krylov_steps = 60;      // for one more digit: other factors may do better
constexpr double wanted_reduction = 0.1;   // of a solution while actions change
constexpr double least_reduction = 1e-3;   // while few do: it is as many that are wrong
constexpr int most_idle_rounds = 50;
constexpr int most_failures = 3;   // solutions in a row that do not halve their residual
constexpr int most_rounds = 2000;  // values may rise by nearly nothing, again and again
constexpr double smallest_plain_reward = 1e-200;

// Changes that are small enough.
struct Enough {
    double largest_value = 0.0, wanted = 0.0, rounding = 0.0;

    Enough(double discount, Target target, const double* value, std::int64_t n)
        : largest_value(largest_magnitude(value, n)),
          wanted((1.0 - discount) * std::max(target.absolute, target.relative * largest_value)),
          rounding(64.0 * (unit_roundoff * largest_value + 0x1.0p-1074)) {}
    bool reached(const Sweep& sweep) const { return sweep.change <= std::max(wanted, rounding); }
};

bool worth_going_on(const Sweep& first, const Sweep& last, bool few) {
    const double share = few ? 0.5 : 0.1;
    return static_cast<double>(last.switched) > share * static_cast<double>(first.switched);
}

// What underflows slows sweeps down tenfold, and matters only to a model of nothing else.
Underflow underflow_for(const ModelView& m) {
    const bool tiny = largest_magnitude(m.reward, m.n_rows) < smallest_plain_reward;
    return tiny ? Underflow::gradual : Underflow::to_zero;
}

}  // namespace

Iterations ordered_policy_iteration(const ModelView& m, double discount, Target target,
                                    double* value, std::int64_t* rows, const Monitor& monitor) {
    for (std::int64_t s = 0; s < m.n_states; ++s) rows[s] = m.row_begin(0, s);
    const FloatMode mode(underflow_for(m));
    OrderedRows ordered(m, discount, backward_order(m, Origin::rewards), rows);
    const auto n = static_cast<std::size_t>(m.n_states);
    Room<double> own(ordered.in_place() ? 0 : n), residual(n), step(n);
    double* v = value;
    if (!ordered.in_place()) {
        v = own.data();
        ordered.gather(value, v);
    }
    Iterations result;
    OrderedEquations equations;
    bool outdated = true;

    const auto one_sweep = [&](bool backwards = false) {
        ++result.sweeps;
        monitor();
        const Sweep sweep = ordered.improve(v, backwards);
        outdated = outdated || sweep.switched > 0;
        return sweep;
    };
    const auto improve = [&](const Enough& enough) {
        // As long as sweeps keep changing actions: a front is then on its way, and if it lasts,
        // perhaps against the order, which it then crosses in one sweep backwards.
        const Sweep first = one_sweep();
        const bool few = many_for_one_changed * first.switched < m.n_states;
        Sweep last = one_sweep(few);
        std::int64_t switched = first.switched + last.switched;
        for (int sweeps = 2; sweeps < most_sweeps && worth_going_on(first, last, few); ++sweeps) {
            if (enough.reached(last)) break;
            last = one_sweep(sweeps >= sweeps_one_way && sweeps % 2 == 1);
            switched += last.switched;
        }
        return Sweep{last.change, switched};
    };
    int failures = 0;
    bool careful = false;
    // A step towards the value of the present policy, taken where that leaves a smaller residual.
    const auto solve = [&](const double* near, double least_residual, double reduction) {
        const double before = ordered.residual(v, residual.data());
        if (before <= Enough(discount, target, v, m.n_states).rounding) return;
        if (outdated) equations.assign(ordered, near, careful);
        outdated = false;
        if (before > 0.0) reduction = std::min(reduction, std::max(1e-13, least_residual / before));
        const LinearSolve solved =
            equations.solve(residual.data(), step.data(), reduction, most_krylov_steps, monitor);
        result.sweeps += solved.iterations;
        const double after = solved.relative_residual * before;
        failures = after < 0.5 * before ? 0 : failures + 1;
        if (solved.iterations > many_krylov_steps && !careful) {
            careful = true;
            outdated = true;
            failures = 0;
        }
        if (after < before)
            for (std::size_t i = 0; i < n; ++i) v[i] += step[i];
    };
    // A constant says nothing: a first policy is chosen, and valued before it is improved.
    if (std::all_of(v, v + n, [&](double x) { return x == v[0]; })) {
        ordered.begin(step.data());
        if (ordered.residual(step.data(), residual.data()) < ordered.residual(v, residual.data()))
            std::copy(step.begin(), step.end(), v);
        solve(nullptr, std::numeric_limits<double>::infinity(), wanted_reduction);
    }
    Sweep sweep = improve(Enough(discount, target, v, m.n_states));
    double least = std::numeric_limits<double>::infinity();
    double most = -std::numeric_limits<double>::infinity();
    for (int idle = 0, round = 0; idle < most_idle_rounds && round < most_rounds; ++idle, ++round) {
        const Enough enough(discount, target, v, m.n_states);
        result.converged = enough.reached(sweep);
        if (result.converged || !std::isfinite(sweep.change) || failures == most_failures) break;
        // Either changes become smaller or values rise, as they do under better policies.
        const double mean = std::accumulate(v, v + n, 0.0) / static_cast<double>(n);
        if (sweep.change < 0.9 * least || mean > most + 1e-12 * enough.largest_value) idle = 0;
        least = std::min(least, sweep.change);
        most = std::max(most, mean);

        const bool settled = sweep.switched == 0;
        solve(v, settled ? 0.5 * enough.wanted : std::numeric_limits<double>::infinity(),
              std::clamp(static_cast<double>(sweep.switched) / static_cast<double>(n),
                         least_reduction, wanted_reduction));
        sweep = improve(enough);
    }
    if (!ordered.in_place()) ordered.scatter(v, value);
    ordered.finish();
    return result;
}

Iterations ordered_total_sweeps(const ModelView& m, Target target, std::int64_t most, double* value,
                                std::int64_t* rows, const Monitor& monitor) {
    const FloatMode mode(underflow_for(m));
    OrderedRows ordered(m, 1.0, backward_order(m, Origin::exits), rows);
    const auto n = static_cast<std::size_t>(m.n_states);
    Room<double> own(ordered.in_place() ? 0 : n);
    double* v = ordered.in_place() ? value : own.data();
    if (!ordered.in_place()) ordered.gather(value, v);
    Iterations result;
    double least = std::numeric_limits<double>::infinity();
    for (int idle = 0; result.sweeps < most && idle < most_idle_rounds; ++idle) {
        const Sweep sweep = ordered.improve(v, false);
        ++result.sweeps;
        if (!std::isfinite(sweep.change)) break;
        const double largest = largest_magnitude(v, m.n_states);
        const double wanted =
            std::max({target.absolute, target.relative * largest, 32.0 * unit_roundoff * largest});
        result.converged = sweep.change <= wanted;
        if (result.converged) break;
        if (sweep.change < 0.9 * least) {
            least = sweep.change;
            idle = 0;
        }
        monitor();
    }
    if (!ordered.in_place()) ordered.scatter(v, value);
    ordered.finish();
    return result;
}

}  // namespace rlt
