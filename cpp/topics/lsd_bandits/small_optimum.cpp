#include "topics/lsd_bandits/small_optimum.hpp"

#include <algorithm>

namespace rlt::lsd {

SmallOptimum::SmallOptimum(const SmallBandits& shape)
    : w_(shape),
      policy_(shape.states()),
      seen_(shape.states()),
      order_(shape.states()),
      potential_(shape.states()) {}

Ratio SmallOptimum::solve(const std::int64_t* pay) {
    pay_ = pay;
    for (std::int64_t v = 0; v < w_.states(); ++v) {
        std::int32_t best = 0;
        for (std::int64_t a = 1; a < w_.actions(); ++a)
            if (reward(v, a) > reward(v, best)) best = static_cast<std::int32_t>(a);
        policy_[v] = best;
    }
    while (true) {
        const Cycle cycle = best_cycle();
        evaluate(cycle);
        if (!improve(cycle)) return reduced(cycle.total, cycle.length);
    }
}

// Of equal ones the one that is met first; it stays so while the policy's cycles do.
SmallOptimum::Cycle SmallOptimum::best_cycle() {
    std::fill(seen_.begin(), seen_.end(), -1);
    Cycle best{-1, 1, 0};
    for (std::int32_t start = 0; start < w_.states(); ++start) {
        std::int32_t v = start;
        while (seen_[v] < 0) {
            seen_[v] = start;
            v = w_.next(v, policy_[v]);
        }
        if (seen_[v] != start) continue;
        std::int64_t total = 0, length = 0;
        std::int32_t least = v, u = v;
        do {
            total += reward(u, policy_[u]);
            ++length;
            least = std::min(least, u);
            u = w_.next(u, policy_[u]);
        } while (u != v);
        if (total * best.length > best.total * length) best = {total, length, least};
    }
    return best;
}

// Potentials of rewards times the cycle's length less its total; states that the policy leads
// elsewhere are led to those that it leads to the cycle.
void SmallOptimum::evaluate(const Cycle& cycle) {
    constexpr std::int32_t unknown = -1, known = -2;
    const auto [total, length, reference] = cycle;
    std::fill(seen_.begin(), seen_.end(), unknown);
    const auto set = [&, total = total, length = length](std::int32_t v) {
        potential_[v] = reward(v, policy_[v]) * length - total + potential_[w_.next(v, policy_[v])];
        seen_[v] = known;
    };
    std::int64_t path = 0;
    for (std::int32_t v = reference; path == 0 || v != reference; v = w_.next(v, policy_[v])) {
        order_[path++] = v;
        seen_[v] = known;
    }
    potential_[reference] = 0;
    for (std::int64_t i = path - 1; i > 0; --i) set(order_[i]);
    std::int64_t left = w_.states() - path;
    for (std::int32_t start = 0; start < w_.states() && left > 0; ++start) {
        path = 0;
        std::int32_t v = start;
        while (seen_[v] == unknown) {
            seen_[v] = start;
            order_[path++] = v;
            v = w_.next(v, policy_[v]);
        }
        if (seen_[v] != known) continue;
        for (std::int64_t i = path - 1; i >= 0; --i) set(order_[i]);
        left -= path;
    }
    while (left > 0)
        for (std::int32_t v = 0; v < w_.states(); ++v)
            for (std::int64_t a = 0; seen_[v] != known && a < w_.actions(); ++a)
                if (seen_[w_.next(v, a)] == known) {
                    policy_[v] = static_cast<std::int32_t>(a);
                    set(v);
                    --left;
                }
}

bool SmallOptimum::improve(const Cycle& cycle) {
    bool improved = false;
    for (std::int64_t v = 0; v < w_.states(); ++v) {
        std::int64_t best = potential_[v];
        for (std::int64_t a = 0; a < w_.actions(); ++a) {
            const std::int64_t x =
                reward(v, a) * cycle.length - cycle.total + potential_[w_.next(v, a)];
            if (x > best) {
                best = x;
                policy_[v] = static_cast<std::int32_t>(a);
                improved = true;
            }
        }
    }
    return improved;
}

}  // namespace rlt::lsd
