// The cycles into which a policy, an arc for each vertex, leads: their means, ranked, and
// potentials
//
//     h(v) = w - g + h(to)  along the policy, h = 0 at the smallest vertex of each cycle.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>
#include <vector>

#include "graph/arcs.hpp"
#include "support/double_double.hpp"

namespace rlt {

template <class Weight>
struct MeanCycles {
    std::vector<std::int64_t> policy;                 // an arc of each vertex
    std::vector<std::int32_t> cycle;                  // the number of the cycle it leads into
    std::vector<std::int32_t> reference;              // the smallest vertex of each cycle
    std::vector<std::int32_t> level;                  // of each cycle: the rank of its gain
    std::vector<typename MeanOf<Weight>::Gain> gain;  // of each cycle
    std::vector<typename MeanOf<Weight>::Potential> potential;
    std::int64_t iterations = 0;
    bool converged = false;
};

template <class Weight>
class PolicyCycles {
public:
    using Mean = MeanOf<Weight>;
    using Gain = typename Mean::Gain;
    static constexpr bool exact = std::is_same_v<Weight, std::int64_t>;

    // All memory is taken here.
    explicit PolicyCycles(const Arcs<Weight>& arcs) : arcs_(arcs) {
        const auto n = static_cast<std::size_t>(arcs.vertices);
        found.policy.resize(n);
        found.cycle.resize(n);
        found.potential.resize(n);
        level.resize(n);
        path_.resize(n);
        found.reference.reserve(n);
        found.level.reserve(n);
        found.gain.reserve(n);
        level_gain.reserve(n);
        by_gain_.reserve(n);
        for (std::int64_t a = 0; a < arcs.count(); ++a)
            size = std::max(size, std::abs(static_cast<double>(arcs.weight[a])));
    }

    // Fills in what found.policy leads to. While a path is followed, its vertices are marked by
    // where they stand in it: -2 - position.
    void evaluate() {
        std::fill(found.cycle.begin(), found.cycle.end(), unseen);
        found.reference.clear();
        found.gain.clear();
        for (std::int32_t root = 0; root < arcs_.vertices; ++root) {
            std::int32_t length = 0, v = root;
            for (; found.cycle[v] == unseen; v = next(v)) {
                found.cycle[v] = -2 - length;
                path_[length++] = v;
            }
            if (found.cycle[v] < unseen) {
                const std::int32_t base = -2 - found.cycle[v];
                close_cycle(base, length);
                length = base;
            }
            while (length > 0) settle(path_[--length]);
        }
    }

    // Gains that differ from the next smaller one by at most `slack` times the largest weight
    // (integers: not at all) are of one level, whose gain is the largest of them.
    void rank(double slack) {
        const std::size_t cycles = found.gain.size();
        by_gain_.resize(cycles);
        std::iota(by_gain_.begin(), by_gain_.end(), 0);
        std::sort(by_gain_.begin(), by_gain_.end(), [&](std::int32_t a, std::int32_t b) {
            return less(found.gain[a], found.gain[b]);
        });
        found.level.resize(cycles);
        level_gain.clear();
        for (const std::int32_t c : by_gain_) {
            const Gain& g = found.gain[c];
            if (level_gain.empty() || above(g, level_gain.back(), slack * size))
                level_gain.push_back(g);
            level_gain.back() = g;
            found.level[c] = static_cast<std::int32_t>(level_gain.size()) - 1;
        }
        for (std::int64_t v = 0; v < arcs_.vertices; ++v) level[v] = found.level[found.cycle[v]];
    }

    MeanCycles<Weight> found;
    std::vector<std::int32_t> level;  // of each vertex
    std::vector<Gain> level_gain;
    double size = 0.0;  // of the largest weight

private:
    static constexpr std::int32_t unseen = -1;

    std::int32_t next(std::int32_t v) const { return arcs_.to[found.policy[v]]; }
    Weight weight(std::int32_t v) const { return arcs_.weight[found.policy[v]]; }

    static bool above(const Gain& g, const Gain& other, [[maybe_unused]] double slack) {
        if constexpr (exact)
            return less(other, g);
        else
            return g - other > slack;
    }

    void settle(std::int32_t v) {
        const std::int32_t t = next(v), c = found.cycle[t];
        found.cycle[v] = c;
        found.potential[v] = Mean::step(found.gain[c], weight(v), found.potential[t]);
    }

    // The path from `base` to `end` is a cycle.
    void close_cycle(std::int32_t base, std::int32_t end) {
        const auto smallest = std::min_element(path_.begin() + base, path_.begin() + end);
        const auto at = static_cast<std::int32_t>(smallest - path_.begin());
        found.cycle[*smallest] = static_cast<std::int32_t>(found.gain.size());
        found.potential[*smallest] = 0;
        found.reference.push_back(*smallest);
        found.gain.push_back(mean(base, end));
        for (std::int32_t i = at; i-- > base;) settle(path_[i]);
        for (std::int32_t i = end; i-- > at + 1;) settle(path_[i]);
    }

    Gain mean(std::int32_t base, std::int32_t end) const {
        const std::int64_t length = end - base;
        if constexpr (exact) {
            Int128 sum = 0;
            for (std::int32_t i = base; i < end; ++i) sum += weight(path_[i]);
            const std::int64_t common = std::gcd(static_cast<std::int64_t>(sum % length), length);
            return {sum / common, length / common};
        } else {
            DoubleDouble sum;
            for (std::int32_t i = base; i < end; ++i) sum = sum + weight(path_[i]);
            return sum.high / static_cast<double>(length);
        }
    }

    Arcs<Weight> arcs_;
    std::vector<std::int32_t> path_;
    std::vector<std::int32_t> by_gain_;
};

}  // namespace rlt
