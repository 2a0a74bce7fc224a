// The graph of joint states: mixed-radix numbers of the arms' states, the last arm fastest.
#pragma once

#include "topics/lsd_bandits/arms.hpp"

namespace rlt::lsd {

// successor[v * actions + a] and reward[...] for all joint states v; plays[a * N + i] says whether
// action a plays arm i.
template <class Payoff>
void product_graph(const Arms<Payoff>& arms, std::span<const std::uint8_t> plays,
                   std::int64_t actions, std::int32_t* successor, Payoff* reward) {
    const std::int64_t n = arms.count();
    std::vector<std::int32_t> state(n, 0);
    std::vector<std::int64_t> stride(n, 1);
    for (std::int64_t i = n - 1; i > 0; --i) stride[i - 1] = stride[i] * arms.sizes[i];
    const std::int64_t states = arms.joint_states();
    for (std::int64_t v = 0; v < states; ++v) {
        for (std::int64_t a = 0; a < actions; ++a) {
            std::int64_t next = 0;
            Payoff paid = 0;
            for (std::int64_t i = 0; i < n; ++i) {
                const std::int64_t s = arms.first[i] + state[i];
                const bool played = plays[a * n + i] != 0;
                next += stride[i] * (played ? arms.play_next[s] : arms.rest_next[s]);
                if (played) paid += arms.payoffs[s];
            }
            successor[v * actions + a] = static_cast<std::int32_t>(next);
            reward[v * actions + a] = paid;
        }
        for (std::int64_t i = n - 1; i >= 0 && ++state[i] == arms.sizes[i]; --i) state[i] = 0;
    }
}

}  // namespace rlt::lsd
