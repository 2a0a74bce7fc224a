// The concave relaxation of small LSD bandits, in whole numbers, and the plans that it chooses.
//
// Not one template with `learner::Relaxer`: that one sorts any plans by rate once and drops points
// within rounding as the index changes; this one makes its blocks anew and compares exact products.
#pragma once

#include "topics/lsd_bandits/ratio.hpp"
#include "topics/lsd_bandits/small_bandits.hpp"

namespace rlt::lsd {

// A cycle of one arm: rest `rests` rounds, then play `plays`; rests = 0 plays always, plays = 0
// never.
struct SmallPlan {
    std::int32_t rests = 1;
    std::int32_t plays = 0;
    std::int64_t reward = 0;

    std::int64_t period() const { return rests + plays; }
};

struct ChosenPlan {
    SmallPlan plan;
    double probability = 0.0;
};

// Of each arm, by ascending rate of plays; what is missing to probability 1 is never to play.
using ChosenPlans = std::vector<std::vector<ChosenPlan>>;

// The working memory of one thread.
class SmallRelaxation {
public:
    explicit SmallRelaxation(const SmallBandits& shape);

    Ratio solve(const std::int64_t* pay);

    // By the last `solve`.
    const ChosenPlans& chosen() const { return chosen_; }

private:
    struct Segment {
        std::int64_t rise, run;  // slope = rise / run
        std::int64_t arm, index;
    };
    // The arm whose next segment is used in part, or -1, and which part.
    struct Mixing {
        std::int64_t arm = -1;
        Ratio share;
    };

    void hull(std::int64_t arm, const std::int64_t* pay);
    Mixing fill();
    Ratio choose(const Mixing& mixing);

    const SmallBandits& w_;
    std::vector<std::vector<SmallPlan>> hulls_;
    std::vector<SmallPlan> points_;
    std::vector<Segment> segments_;
    std::vector<std::int64_t> at_;  // of each arm, the corner that is reached in full
    ChosenPlans chosen_;
};

}  // namespace rlt::lsd
