// The best sequence of actions of a given length, repeated for ever, by looking at all of them.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace rlt::lsd {

// totals[i << length | pattern] is what arm i pays per period when it is played in the rounds
// whose bits are set in the pattern: what one arm earns depends on its own rounds alone. plays
// [a * arms + i] says whether action a plays arm i. Writes the best sequence, the first in
// lexicographic order, and returns its total; the caller has excluded overflow.
inline std::int64_t best_cyclic(std::span<const std::int64_t> totals, std::int64_t arms,
                                std::span<const std::uint8_t> plays, std::int64_t actions,
                                std::int64_t length, std::int32_t* sequence) {
    // pattern[t * arms + i]: the rounds before t in which the sequence plays arm i.
    std::vector<std::int64_t> pattern((length + 1) * arms, 0);
    std::vector<std::int32_t> choice(length, 0);
    std::int64_t best = std::numeric_limits<std::int64_t>::min();
    std::int64_t changed = 0;
    while (true) {
        for (std::int64_t t = changed; t < length; ++t)
            for (std::int64_t i = 0; i < arms; ++i)
                pattern[(t + 1) * arms + i] =
                    pattern[t * arms + i] |
                    static_cast<std::int64_t>(plays[choice[t] * arms + i] != 0) << t;
        std::int64_t total = 0;
        for (std::int64_t i = 0; i < arms; ++i)
            total += totals[i << length | pattern[length * arms + i]];
        if (total > best) {
            best = total;
            for (std::int64_t t = 0; t < length; ++t) sequence[t] = choice[t];
        }
        changed = length - 1;
        while (changed >= 0 && ++choice[changed] == actions) choice[changed--] = 0;
        if (changed < 0) return best;
    }
}

}  // namespace rlt::lsd
