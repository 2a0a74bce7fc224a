// Deterministic arms, one after another: what a play and a rest lead to, and what a play pays.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <vector>

namespace rlt::lsd {

// States of arm i are first[i] .. first[i + 1] - 1 of the arrays; successors count within an arm.
template <class Payoff>
struct Arms {
    std::span<const std::int32_t> sizes;
    std::span<const std::int32_t> play_next;
    std::span<const std::int32_t> rest_next;
    std::span<const Payoff> payoffs;
    std::vector<std::int64_t> first;

    Arms(std::span<const std::int32_t> s, std::span<const std::int32_t> play,
         std::span<const std::int32_t> rest, std::span<const Payoff> pay)
        : sizes(s), play_next(play), rest_next(rest), payoffs(pay), first(s.size() + 1, 0) {
        for (std::size_t i = 0; i < s.size(); ++i) first[i + 1] = first[i] + s[i];
    }

    std::int64_t count() const { return static_cast<std::int64_t>(sizes.size()); }

    std::int64_t joint_states() const {
        std::int64_t states = 1;
        for (const std::int32_t size : sizes) {
            if (states > std::numeric_limits<std::int64_t>::max() / size)
                throw std::overflow_error("there are more joint states than 64 bits can count");
            states *= size;
        }
        return states;
    }
};

}  // namespace rlt::lsd
