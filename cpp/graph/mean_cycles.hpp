// The cycles into which a policy, an arc for each vertex, leads: their means, ranked, and
// potentials
//
//     h(v) = w - g + h(to)  along the policy, h = 0 at the smallest vertex of each cycle.
//
// All of it is exact: a mean g is a reduced fraction sum / length, and potentials of vertices with
// that gain are integers in units of 1 / length. With |w| <= 2^58 and fewer than 2^31 vertices
// nothing overflows: |sum| < 2^89, a product of a sum and a length is below 2^120,
// |length * w - sum| < 2^90, a potential adds up fewer than 2^31 of these, and each of at most 16
// sweeps over the vertices, in which it may rise, fewer than 2^31 more: below 17 * 2^121 < 2^126.
#pragma once

#include <vector>

#include "graph/arcs.hpp"
#include "support/int128.hpp"

namespace rlt {

inline constexpr std::int64_t largest_weight = std::int64_t{1} << 58;

struct Gain {
    Int128 sum = 0;
    std::int64_t length = 1;

    // h(v) from the potential ahead.
    Int128 step(std::int64_t w, Int128 ahead) const { return Int128{length} * w - sum + ahead; }
};

inline bool operator<(const Gain& a, const Gain& b) { return a.sum * b.length < b.sum * a.length; }

struct MeanCycles {
    std::vector<std::int64_t> policy;     // an arc of each vertex
    std::vector<std::int32_t> cycle;      // the number of the cycle it leads into
    std::vector<std::int32_t> reference;  // the smallest vertex of each cycle
    std::vector<std::int32_t> level;      // of each cycle: the rank of its gain
    std::vector<Gain> gain;               // of each cycle
    std::vector<Int128> potential;
    std::int64_t iterations = 0;
};

class PolicyCycles {
public:
    // All memory is taken here.
    explicit PolicyCycles(const Arcs<std::int64_t>& arcs);

    // Fills in what found.policy leads to.
    void evaluate();

    MeanCycles found;
    std::vector<std::int32_t> level;  // of each vertex
    std::vector<Gain> level_gain;     // ascending

private:
    static constexpr std::int32_t unseen = -1;

    std::int32_t next(std::int32_t v) const { return arcs_.to[found.policy[v]]; }
    std::int64_t weight(std::int32_t v) const { return arcs_.weight[found.policy[v]]; }

    void settle(std::int32_t v);
    void close_cycle(std::int32_t base, std::int32_t end);
    void rank();

    Arcs<std::int64_t> arcs_;
    std::vector<std::int32_t> path_;
    std::vector<std::int32_t> by_gain_;
};

}  // namespace rlt
