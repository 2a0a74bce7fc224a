#include "graph/howard.hpp"

#include <cmath>
#include <utility>

namespace rlt {

namespace {

constexpr int most_sweeps = 16;

// Raises level and potential of one vertex to the best of its arcs; whether they rose.
template <class Weight>
bool raise(const Arcs<Weight>& arcs, PolicyCycles<Weight>& at, std::int64_t v,
           typename MeanOf<Weight>::Potential least) {
    std::int64_t best = -1;
    std::int32_t level = at.level[v];
    auto value = at.found.potential[v] + least;
    for (std::int64_t a = arcs.first(v); a < arcs.first(v + 1); ++a) {
        const std::int32_t t = arcs.to[a], there = at.level[t];
        if (there < level) continue;
        const auto ahead =
            MeanOf<Weight>::step(at.level_gain[there], arcs.weight[a], at.found.potential[t]);
        if (there == level && ahead <= value) continue;
        best = a;
        level = there;
        value = ahead;
    }
    if (best < 0) return false;
    at.found.policy[v] = best;
    at.found.potential[v] = value;
    at.level[v] = level;
    return true;
}

// Down and up in turn, until nothing rises; whether something did.
template <class Weight>
bool improve(const Arcs<Weight>& arcs, PolicyCycles<Weight>& at, [[maybe_unused]] double slack) {
    typename MeanOf<Weight>::Potential least{0};
    if constexpr (!PolicyCycles<Weight>::exact) {
        for (const double h : at.found.potential) least = std::max(least, std::abs(h));
        least = slack * std::max(least, at.size);
    }
    for (int sweep = 0; sweep < most_sweeps; ++sweep) {
        bool rose = false;
        if (sweep % 2 == 0)
            for (std::int64_t v = arcs.vertices; v-- > 0;) rose = raise(arcs, at, v, least) || rose;
        else
            for (std::int64_t v = 0; v < arcs.vertices; ++v)
                rose = raise(arcs, at, v, least) || rose;
        if (!rose) return sweep > 0;
    }
    return true;
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
        at.found.converged = !improve(arcs, at, potential_slack);
        if (at.found.converged) break;
    }
    return std::move(at.found);
}

template MeanCycles<double> howard_cycles(const Arcs<double>&, double, double, std::int64_t,
                                          const Monitor&);
template MeanCycles<std::int64_t> howard_cycles(const Arcs<std::int64_t>&, double, double,
                                                std::int64_t, const Monitor&);

}  // namespace rlt
