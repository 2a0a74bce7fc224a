#include "graph/howard.hpp"

#include <algorithm>
#include <utility>

namespace rlt {

namespace {

constexpr int most_sweeps = 16;

// Raises level and potential of one vertex to the best of its arcs; whether they rose.
bool raise(const Arcs<std::int64_t>& arcs, PolicyCycles& at, std::int64_t v) {
    std::int64_t best = -1;
    std::int32_t level = at.level[v];
    Int128 value = at.found.potential[v];
    for (std::int64_t a = arcs.first(v); a < arcs.first(v + 1); ++a) {
        const std::int32_t t = arcs.to[a], there = at.level[t];
        if (there < level) continue;
        const Int128 ahead = at.level_gain[there].step(arcs.weight[a], at.found.potential[t]);
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

// Down and up in turn, at most so many sweeps; whether something rose.
bool improve(const Arcs<std::int64_t>& arcs, PolicyCycles& at, int sweeps, bool down) {
    for (int sweep = 0; sweep < sweeps; ++sweep, down = !down) {
        bool rose = false;
        if (down)
            for (std::int64_t v = arcs.vertices; v-- > 0;) rose = raise(arcs, at, v) || rose;
        else
            for (std::int64_t v = 0; v < arcs.vertices; ++v) rose = raise(arcs, at, v) || rose;
        if (!rose) return sweep > 0;
    }
    return true;
}

}  // namespace

MeanCycles howard_cycles(const Arcs<std::int64_t>& arcs, const Monitor& monitor) {
    PolicyCycles at(arcs);
    const std::int64_t* weight = arcs.weight;
    for (std::int64_t v = 0; v < arcs.vertices; ++v)
        at.found.policy[v] =
            std::max_element(weight + arcs.first(v), weight + arcs.first(v + 1)) - weight;
    at.evaluate();
    // While cycles are bad, many sweeps raise values by laps around better ones, in an order that
    // hides these; they help once the cycle is good.
    int sweeps = 1;
    for (bool down = true; improve(arcs, at, sweeps, down); down = !down) {
        monitor();
        ++at.found.iterations;
        const Gain before = at.level_gain.back();
        at.evaluate();
        sweeps = before < at.level_gain.back() ? 1 : std::min(2 * sweeps, most_sweeps);
    }
    return std::move(at.found);
}

}  // namespace rlt
