// The optimal gain of small LSD bandits: Howard's iteration with one best cycle, in whole numbers.
//
// From every state one reaches the rested one by resting, so that all states can be led to the best
// cycle of a policy; then an improved policy has a better cycle, or the same one and larger
// potentials.
#pragma once

#include "topics/lsd_bandits/ratio.hpp"
#include "topics/lsd_bandits/small_bandits.hpp"

namespace rlt::lsd {

// The working memory of one thread.
class SmallOptimum {
public:
    explicit SmallOptimum(const SmallBandits& shape);

    Ratio solve(const std::int64_t* pay);

private:
    struct Cycle {
        std::int64_t total, length;
        std::int32_t reference;
    };

    Cycle best_cycle();
    void evaluate(const Cycle& cycle);
    bool improve(const Cycle& cycle);

    std::int64_t reward(std::int64_t v, std::int64_t a) const { return w_.reward(pay_, v, a); }

    const SmallBandits& w_;
    const std::int64_t* pay_ = nullptr;
    std::vector<std::int32_t> policy_, seen_, order_;
    std::vector<std::int64_t> potential_;
};

}  // namespace rlt::lsd
