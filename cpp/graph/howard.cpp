#include "graph/howard.hpp"

#include <cmath>
#include <utility>

namespace rlt {

namespace {

template <class Weight>
std::int64_t improve(const Arcs<Weight>& arcs, PolicyCycles<Weight>& at,
                     [[maybe_unused]] double slack) {
    using Potential = typename MeanOf<Weight>::Potential;
    Potential least{0};
    if constexpr (!PolicyCycles<Weight>::exact) {
        for (const double h : at.found.potential) least = std::max(least, std::abs(h));
        least = slack * std::max(least, at.size);
    }
    std::int64_t switches = 0;
    for (std::int64_t v = 0; v < arcs.vertices; ++v) {
        std::int64_t best = at.found.policy[v];
        std::int32_t level = at.level[v];
        Potential value = at.found.potential[v] + least;
        for (std::int64_t a = arcs.first(v); a < arcs.first(v + 1); ++a) {
            const std::int32_t t = arcs.to[a], there = at.level[t];
            if (there < level) continue;
            const Potential ahead =
                MeanOf<Weight>::step(at.level_gain[there], arcs.weight[a], at.found.potential[t]);
            if (there == level && ahead <= value) continue;
            best = a;
            level = there;
            value = ahead;
        }
        if (best == at.found.policy[v]) continue;
        at.found.policy[v] = best;
        ++switches;
    }
    return switches;
}

}  // namespace

template <class Weight>
MeanCycles<Weight> howard_cycles(const Arcs<Weight>& arcs, double gain_slack,
                                 double potential_slack, std::int64_t most,
                                 const Monitor& monitor) {
    PolicyCycles<Weight> at(arcs);
    for (std::int64_t v = 0; v < arcs.vertices; ++v)
        at.found.policy[v] =
            std::max_element(arcs.weight + arcs.first(v), arcs.weight + arcs.first(v + 1)) -
            arcs.weight;
    for (;;) {
        monitor();
        at.evaluate();
        at.rank(gain_slack);
        if (at.found.iterations == most) break;
        ++at.found.iterations;
        at.found.converged = improve(arcs, at, potential_slack) == 0;
        if (at.found.converged) break;
    }
    return std::move(at.found);
}

template MeanCycles<double> howard_cycles(const Arcs<double>&, double, double, std::int64_t,
                                          const Monitor&);
template MeanCycles<std::int64_t> howard_cycles(const Arcs<std::int64_t>&, double, double,
                                                std::int64_t, const Monitor&);

}  // namespace rlt
