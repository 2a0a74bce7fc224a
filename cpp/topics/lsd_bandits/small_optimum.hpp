// The exact optimum of a small graph of joint states, from which resting leads to one of them.
//
// Howard's iteration for the largest cycle mean, in whole numbers and with one working memory for
// many rewards: row v * actions + a leads to successor[...] and pays pay[paid[...]], or 0 where
// paid is negative.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace rlt::lsd {

struct Ratio {
    std::int64_t numerator = 0;
    std::int64_t denominator = 1;
};

inline Ratio reduced(std::int64_t numerator, std::int64_t denominator) {
    const std::int64_t common = std::gcd(numerator, denominator);
    return {numerator / common, denominator / common};
}

class SmallOptimum {
public:
    SmallOptimum(std::int64_t states, std::int64_t actions, std::span<const std::int32_t> successor,
                 std::span<const std::int32_t> paid)
        : states_(states),
          actions_(actions),
          successor_(successor),
          paid_(paid),
          policy_(states),
          seen_(states),
          order_(states),
          potential_(states) {}

    // Howard's iteration with one best cycle, in whole numbers. From every state one reaches the
    // rested one by resting, so that all states can be led to the best cycle of a policy; then an
    // improved policy has a better cycle, or the same one and larger potentials.
    Ratio operator()(const std::int64_t* pay) {
        pay_ = pay;
        const std::int64_t V = states_;
        for (std::int64_t v = 0; v < V; ++v) {
            std::int32_t best = 0;
            for (std::int64_t a = 1; a < actions_; ++a)
                if (reward(v, a) > reward(v, best)) best = static_cast<std::int32_t>(a);
            policy_[v] = best;
        }
        while (true) {
            const auto [total, length, reference] = best_cycle();
            evaluate(total, length, reference);
            bool improved = false;
            for (std::int64_t v = 0; v < V; ++v) {
                std::int64_t best = potential_[v];
                for (std::int64_t a = 0; a < actions_; ++a) {
                    const std::int64_t x = reward(v, a) * length - total + potential_[next(v, a)];
                    if (x > best) {
                        best = x;
                        policy_[v] = static_cast<std::int32_t>(a);
                        improved = true;
                    }
                }
            }
            if (!improved) return reduced(total, length);
        }
    }

private:
    std::int64_t reward(std::int64_t v, std::int64_t a) const {
        const std::int32_t at = paid_[v * actions_ + a];
        return at < 0 ? 0 : pay_[at];
    }
    std::int32_t next(std::int64_t v, std::int64_t a) const { return successor_[v * actions_ + a]; }

    struct Cycle {
        std::int64_t total, length;
        std::int32_t reference;
    };

    // Of equal ones the one that is met first; it stays so while the policy's cycles do.
    Cycle best_cycle() {
        std::fill(seen_.begin(), seen_.end(), -1);
        Cycle best{-1, 1, 0};
        for (std::int32_t start = 0; start < states_; ++start) {
            std::int32_t v = start;
            while (seen_[v] < 0) {
                seen_[v] = start;
                v = next(v, policy_[v]);
            }
            if (seen_[v] != start) continue;
            std::int64_t total = 0, length = 0;
            std::int32_t least = v, u = v;
            do {
                total += reward(u, policy_[u]);
                ++length;
                least = std::min(least, u);
                u = next(u, policy_[u]);
            } while (u != v);
            if (total * best.length > best.total * length) best = {total, length, least};
        }
        return best;
    }

    // Potentials of rewards times `length` less `total`; states that the policy leads elsewhere
    // are led to those that it leads to the cycle.
    void evaluate(std::int64_t total, std::int64_t length, std::int32_t reference) {
        constexpr std::int32_t unknown = -1, known = -2;
        std::fill(seen_.begin(), seen_.end(), unknown);
        const auto set = [&](std::int32_t v) {
            potential_[v] =
                reward(v, policy_[v]) * length - total + potential_[next(v, policy_[v])];
            seen_[v] = known;
        };
        std::int64_t path = 0;
        for (std::int32_t v = reference; path == 0 || v != reference; v = next(v, policy_[v])) {
            order_[path++] = v;
            seen_[v] = known;
        }
        potential_[reference] = 0;
        for (std::int64_t i = path - 1; i > 0; --i) set(order_[i]);
        std::int64_t left = states_ - path;
        for (std::int32_t start = 0; start < states_ && left > 0; ++start) {
            path = 0;
            std::int32_t v = start;
            while (seen_[v] == unknown) {
                seen_[v] = start;
                order_[path++] = v;
                v = next(v, policy_[v]);
            }
            if (seen_[v] != known) continue;
            for (std::int64_t i = path - 1; i >= 0; --i) set(order_[i]);
            left -= path;
        }
        while (left > 0)
            for (std::int32_t v = 0; v < states_; ++v)
                for (std::int64_t a = 0; seen_[v] != known && a < actions_; ++a)
                    if (seen_[next(v, a)] == known) {
                        policy_[v] = static_cast<std::int32_t>(a);
                        set(v);
                        --left;
                    }
    }

    std::int64_t states_, actions_;
    std::span<const std::int32_t> successor_, paid_;
    const std::int64_t* pay_ = nullptr;
    std::vector<std::int32_t> policy_, seen_, order_;
    std::vector<std::int64_t> potential_;
};

}  // namespace rlt::lsd
