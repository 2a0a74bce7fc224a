#include "solvers/policy_iteration.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "solvers/policy_chain.hpp"
#include "solvers/sweeps.hpp"
#include "support/float_mode.hpp"

namespace rlt {

Iterations policy_iteration(const ModelView& m, double discount, std::int64_t most, double* value,
                            std::int64_t* rows, const Monitor& monitor) {
    const StandardFloatMode mode;
    const auto n = static_cast<std::size_t>(m.n_states);
    std::vector<double> reward(n);
    std::vector<std::int64_t> better(n);
    // Where equations are nearly singular, rounding may lead through policies in a circle.
    std::set<std::vector<std::int64_t>> seen;
    bellman(m, 0, discount, value, reward.data(), rows);
    for (std::int64_t policies = 1;; ++policies) {
        for (std::size_t s = 0; s < n; ++s) reward[s] = m.reward[rows[s]];
        const PolicyChain chain(m, discount, rows);
        chain.solve(reward.data(), value, 0.0, 1, false, monitor);
        const bool finite =
            std::all_of(value, value + n, [](double x) { return std::isfinite(x); });
        if (!finite || improve(m, discount, value, rows, better.data()) == 0)
            return {policies, true};
        if (!seen.insert(better).second) return {policies, true};
        if (policies >= most) return {policies, false};
        std::copy(better.begin(), better.end(), rows);
        monitor();
    }
}

}  // namespace rlt
