#include "graph/mean_cycles.hpp"

#include <algorithm>
#include <numeric>

namespace rlt {

PolicyCycles::PolicyCycles(const Arcs<std::int64_t>& arcs) : arcs_(arcs) {
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
}

// While a path is followed, its vertices are marked by where they stand in it: -2 - position.
void PolicyCycles::evaluate() {
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
    rank();
}

void PolicyCycles::settle(std::int32_t v) {
    const std::int32_t t = next(v), c = found.cycle[t];
    found.cycle[v] = c;
    found.potential[v] = found.gain[c].step(weight(v), found.potential[t]);
}

// The path from `base` to `end` is a cycle.
void PolicyCycles::close_cycle(std::int32_t base, std::int32_t end) {
    Int128 sum = 0;
    for (std::int32_t i = base; i < end; ++i) sum += weight(path_[i]);
    const std::int64_t length = end - base;
    const std::int64_t common = std::gcd(static_cast<std::int64_t>(sum % length), length);
    const auto smallest = std::min_element(path_.begin() + base, path_.begin() + end);
    const auto at = static_cast<std::int32_t>(smallest - path_.begin());
    found.cycle[*smallest] = static_cast<std::int32_t>(found.gain.size());
    found.potential[*smallest] = 0;
    found.reference.push_back(*smallest);
    found.gain.push_back({sum / common, length / common});
    for (std::int32_t i = at; i-- > base;) settle(path_[i]);
    for (std::int32_t i = end; i-- > at + 1;) settle(path_[i]);
}

void PolicyCycles::rank() {
    by_gain_.resize(found.gain.size());
    std::iota(by_gain_.begin(), by_gain_.end(), 0);
    std::sort(by_gain_.begin(), by_gain_.end(),
              [&](std::int32_t a, std::int32_t b) { return found.gain[a] < found.gain[b]; });
    found.level.resize(found.gain.size());
    level_gain.clear();
    for (const std::int32_t c : by_gain_) {
        if (level_gain.empty() || level_gain.back() < found.gain[c])
            level_gain.push_back(found.gain[c]);
        found.level[c] = static_cast<std::int32_t>(level_gain.size()) - 1;
    }
    for (std::int64_t v = 0; v < arcs_.vertices; ++v) level[v] = found.level[found.cycle[v]];
}

}  // namespace rlt
