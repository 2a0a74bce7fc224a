// What a tabular learner has seen: counts of every (stage, state, action) and its successors.
//
// Pair (s, a) of a stage is column a S + s, so that neighbouring lanes are neighbouring states.
// Successors are transposed: N[h][s'][pair], and P_hat v of all pairs of a stage is one pass over
// rows of pairs, sum_s' N[h][s'][.] v(s') times 1/n. A visit changes one entry of N.
#pragma once

#include <stdexcept>
#include <vector>

#include "support/lanes.hpp"

namespace rlt {

class Counts {
public:
    Counts(std::int64_t horizon, std::int64_t states, std::int64_t actions)
        : H(horizon),
          S(states),
          A(actions),
          stride(padded(states * actions)),
          visits(static_cast<std::size_t>(H * stride), 0),
          inverse_(blocks(H * stride)),
          reward_(blocks(H * stride)),
          successors_(blocks(H * S * stride)),
          reached_(static_cast<std::size_t>(H * S), 0) {}

    std::int64_t H, S, A, stride;
    std::vector<std::int64_t> visits;  // n[h][pair]

    const double* inverse(std::int64_t h) const { return flat(inverse_) + h * stride; }
    const double* reward(std::int64_t h) const { return flat(reward_) + h * stride; }
    const double* successors(std::int64_t h) const { return flat(successors_) + h * S * stride; }
    // Whether stage h has ever led to s'.
    const std::uint8_t* reached(std::int64_t h) const { return reached_.data() + h * S; }

    std::int64_t column(std::int64_t s, std::int64_t a) const { return a * S + s; }

    // One more visit; returns the new count. `next` is -1 where the episode ended.
    std::int64_t count(std::int64_t h, std::int64_t pair, std::int64_t next) {
        const std::int64_t at = h * stride + pair;
        const std::int64_t n = ++visits[static_cast<std::size_t>(at)];
        flat(inverse_)[at] = 1.0 / static_cast<double>(n);
        if (next >= 0) {
            flat(successors_)[(h * S + next) * stride + pair] += 1.0;
            reached_[static_cast<std::size_t>(h * S + next)] = 1;
        }
        return n;
    }

    // The same, and its reward.
    std::int64_t observe(std::int64_t h, std::int64_t pair, double r, std::int64_t next) {
        const std::int64_t n = count(h, pair, next);
        double& mean = flat(reward_)[h * stride + pair];
        // A running mean: a reward that never changes stays itself, to the bit.
        mean += n == 1 ? r : (r - mean) / static_cast<double>(n);
        return n;
    }

private:
    using Blocks = std::vector<EightDoubles>;
    static Blocks blocks(std::int64_t doubles) {
        return Blocks(static_cast<std::size_t>(padded(doubles) / 8), EightDoubles{});
    }
    static double* flat(Blocks& x) { return x.data()->lane; }
    static const double* flat(const Blocks& x) { return x.data()->lane; }

    Blocks inverse_, reward_, successors_;
    std::vector<std::uint8_t> reached_;
};

// sum[i][w] = sum_s' N[s'][pair] v_i(s') for W registers of pairs from `rows` on, s' ascending.
template <class D, int V, int W>
[[gnu::always_inline]] inline void successor_sums(const Counts& x, const double* rows,
                                                  const std::uint8_t* reached,
                                                  const double* const (&v)[V], D (&sum)[V][W]) {
    constexpr int count = sizeof(D) / sizeof(double);
    for (int i = 0; i < V; ++i)
        for (int w = 0; w < W; ++w) sum[i][w] = D{};
    for (std::int64_t t = 0; t < x.S; ++t, rows += x.stride) {
        if (!reached[t]) continue;
        for (int w = 0; w < W; ++w) {
            D n;
            load(n, rows + w * count);
            for (int i = 0; i < V; ++i) sum[i][w] += n * v[i][t];
        }
    }
}

}  // namespace rlt
