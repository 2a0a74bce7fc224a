#include "solvers/modified_policy_iteration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/cyclic_classes.hpp"
#include "solvers/backups.hpp"
#include "solvers/lazy_backups.hpp"
#include "solvers/plain_bicgstab.hpp"
#include "solvers/policy_chain.hpp"
#include "solvers/policy_rows.hpp"
#include "support/float_mode.hpp"
#include "support/room.hpp"

namespace rlt {

namespace {

// Rows so wide that equations are solved without factors: to find those and to apply them takes
// longer than the steps they save. Measured.
bool is_wide(const ModelView& m) {
    constexpr std::int64_t most_narrow = 6;
    return m.n_entries > most_narrow * m.n_rows;
}

// Reduces the residual of a policy by a factor, by solving its equations, where that is progress.
// Whether so many steps were enough.
bool solve_part(const ModelView& m, double discount, const PolicyRows& policy,
                const std::int64_t* rows, double reduction, std::int64_t most, double* now,
                double* spare, Improved& result, const Monitor& monitor) {
    const auto n = static_cast<std::size_t>(m.n_states);
    Room<double> step(n, 0.0);
    Extremes e = policy.sweep(discount, now, spare);
    for (std::size_t s = 0; s < n; ++s) spare[s] -= now[s];
    const double size = std::max(std::abs(e.low), std::abs(e.high));
    if (m.has_exits) e.allow_exits();
    const double wanted = std::min(0.5, reduction * e.width() / size);
    const auto product = [&](const double* x, double* out) { policy.equations(discount, x, out); };
    const LinearSolve solved =
        is_wide(m) ? plain_bicgstab(m.n_states, product, spare, step.data(), wanted, most, monitor)
                   : PolicyChain(m, discount, rows)
                         .solve(spare, step.data(), wanted, most, false, monitor);
    result.sweeps += 2 * solved.iterations + 1;
    if (!(solved.relative_residual < 1.0)) return false;
    for (std::size_t s = 0; s < n; ++s) now[s] += step[s];
    return solved.relative_residual <= wanted;
}

// Operations of one sweep of an average policy.
std::int64_t policy_work(const ModelView& m) {
    return (m.n_entries + 2 * m.n_rows) / m.n_rows * m.n_states + 2 * m.n_states;
}

// Centres a value whose residuals are in `e`, where a constant is passed on whole, and says what
// then bounds them.
void centre(const ModelView& m, double discount, const Extremes& e, double* value,
            Improved& result) {
    result.low = e.low + e.doubt;
    result.high = e.high + e.doubt;
    if (m.has_exits || !std::isfinite(e.width())) return;
    const double rest = 1.0 - discount;
    const double middle = 0.5 * (e.low + e.high);
    const double c = middle / rest;
    double largest = 0.0;
    for (std::int64_t s = 0; s < m.n_states; ++s) {
        value[s] += c;
        largest = std::max(largest, std::abs(value[s]));
    }
    // Rounding of value + c (twice: a residual has it on both sides), and of c (1 - discount).
    const double rounding = 4.0 * unit_roundoff * (largest + std::abs(middle));
    result.low = (e.low - middle) - rounding;
    result.high = (e.high - middle) + rounding;
}

// After a sweep around the classes that changed class 0 by some m: where the changes of all sweeps
// to come lead, if each is as even and discounted. Nothing but constants is added to classes.
void centre_around(const CyclicClasses& classes, double discount, const Extremes& change,
                   double* value) {
    const double around = std::pow(discount, static_cast<double>(classes.count()));
    double step = discount / (1.0 - around) * (0.5 * (change.low + change.high));
    if (!std::isfinite(step)) return;
    for (std::size_t k = 0; k + 1 < classes.first.size(); ++k) {
        for (std::int64_t i = classes.first[k]; i < classes.first[k + 1]; ++i)
            value[classes.states[static_cast<std::size_t>(i)]] += step;
        step *= discount;
    }
}

}  // namespace

Improved modified_policy_iteration(const ModelView& m, double discount, Target target,
                                   double patience, double* value, std::int64_t* rows,
                                   const Monitor& monitor) {
    const StandardFloatMode mode;
    constexpr int most_partial_sweeps = 200;
    constexpr int most_krylov_steps = 200;  // of one solution
    constexpr double wanted_reduction = 0.03;
    constexpr int enough_seen = 8;       // sweeps of a policy that tell how it mixes
    constexpr double hopeless = 3.0;     // times what is affordable: fewer tell that
    constexpr double most_swept = 12.0;  // of one policy; beyond, a Krylov method is quicker
    LazyBackups backups(m, discount);
    PolicyRows policy(m);
    const CyclicClasses classes = cyclic_classes(m);
    const bool periodic = classes.count() > 1;
    Room<double> other(static_cast<std::size_t>(m.n_states));
    double* now = value;
    double* next = other.data();
    Improved result;
    result.classes = classes.count();
    double narrowest = std::numeric_limits<double>::infinity();
    std::int64_t improvements = 0;
    double most_improvements = 0.0;  // more than the contraction by the discount can need
    const double forgotten = std::log(std::max(discount, 1e-9)) *
                             (periodic ? static_cast<double>(classes.count()) : 1.0);
    const double one_sweep = static_cast<double>(policy_work(m));
    // Other methods read every row in each improvement; from some eight a state on that is most of
    // what they cost. Measured.
    const double choice = static_cast<double>(m.sweep_work()) / (8.0 * one_sweep);
    const double dearer = 1.0 + choice * choice;
    const double affordable = patience * dearer;
    // Long rows make them dear too: sweeps in order gain less there, and factors cost more.
    const bool wide = is_wide(m);
    // Improvements without progress. Only a policy whose rewards travel slowly needs many: without
    // haste at most one a state, and then some.
    double idle = 0.0;
    const double most_idle = std::isfinite(patience) ? (wide ? 8.0 : 2.0) * dearer
                                                     : 200.0 + static_cast<double>(m.n_states);
    for (;;) {
        Extremes e = backups.sweep(now, next, rows, result.sweeps ? &policy : nullptr);
        ++result.sweeps;
        if (m.has_exits) e.allow_exits();
        const double largest = std::max(e.magnitude, largest_magnitude(now, m.n_states));
        const double error = residual_error(m, discount, backups.largest_reward(), largest);
        const double wanted =
            (1.0 - discount) * std::max(target.absolute, target.relative * e.magnitude);
        const double width = e.width();
        result.converged = width + 3.0 * error <= wanted;
        if (++improvements == 1 && width > 0.0)
            most_improvements = 16.0 + std::max(0.0, std::log(std::max(wanted, error) / width) /
                                                         std::log(std::max(discount, 1e-9)));
        idle = width < 0.9 * narrowest ? 0.0 : idle + 1.0;
        narrowest = std::min(narrowest, width);
        // What is left is rounding, or no progress is made.
        const bool stalled = !std::isfinite(width) || width <= 2.0 * error || idle > most_idle ||
                             static_cast<double>(improvements) > most_improvements;
        if (result.converged || stalled) {
            result.exhausted = !result.converged && width <= 2.0 * error;
            centre(m, discount, e, now, result);
            result.low -= error;
            result.high += error;
            if (now != value) std::copy_n(now, m.n_states, value);
            return result;
        }
        monitor();
        std::swap(now, next);
        // Sweeps of the policy, down to a fraction; from what one gains follows how many are left.
        // Rows that stay are likely to be the last: then nothing is gained by looking again soon.
        // What goes round in classes is left uneven by solving equations, and has to be looked at.
        const bool stays = !policy.gather(rows) && !periodic;
        const double enough =
            stays ? 0.5 * wanted : std::max(wanted_reduction * width, 0.5 * wanted);
        double before = width, second = width;
        Extremes around;
        for (int i = 0; i < most_partial_sweeps; ++i) {
            Extremes p = periodic ? policy.sweep_around(discount, classes, now)
                                  : policy.sweep(discount, now, next);
            ++result.sweeps;
            if (!periodic) std::swap(now, next);
            if (m.has_exits) p.allow_exits();
            const double left = p.width();
            around = p;
            if (!(left > enough)) break;
            // The sweep that looks again is one more of these, and is likely to gain as much.
            if (!periodic && left * left <= 0.5 * wanted * before) break;
            const double gain = std::min(std::log(left / before), -1e-9);
            before = left;
            if (i < 2) {
                second = left;
                continue;
            }
            // What the discount alone gives, every method has. The first sweeps say little.
            const double mixing = std::min(std::log(left / second) / (i - 1.0) - forgotten, -1e-9);
            const double needed = std::log(wanted / left) / mixing;
            const double surely = i > 2 ? hopeless : 3.0 * hopeless;
            if (needed > affordable && i < enough_seen && !(needed > surely * affordable)) continue;
            // Where other methods are dear, equations are tried before they are: perhaps they take
            // so few steps, of two sweeps each, to all that is wanted, or, with long rows, to what
            // is wanted of this policy.
            if (needed > affordable && (wide || choice > 1.0) && !periodic) {
                const double digits = std::log(enough / left);
                const double most =
                    wide ? patience * std::max(1.0, digits / std::log(wanted_reduction))
                         : 0.5 * affordable * digits / std::log(wanted / left);
                if (most >= 1.0 &&
                    solve_part(m, discount, policy, rows, enough / left,
                               static_cast<std::int64_t>(most), now, next, result, monitor)) {
                    // Widths before say nothing: those of a constant are as small as rewards.
                    if (!result.by_equations) narrowest = std::numeric_limits<double>::infinity();
                    result.by_equations = true;
                    break;
                }
            }
            if (needed > affordable) {
                result.low = -std::numeric_limits<double>::infinity();
                result.high = std::numeric_limits<double>::infinity();
                if (now != value) std::copy_n(now, m.n_states, value);
                return result;
            }
            if (std::log(enough / left) / gain > most_swept) {
                solve_part(m, discount, policy, rows, enough / left, most_krylov_steps, now, next,
                           result, monitor);
                around = {};
                break;
            }
            monitor();
        }
        if (periodic && !m.has_exits) centre_around(classes, discount, around, now);
    }
}

}  // namespace rlt
