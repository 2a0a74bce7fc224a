// Learning last-switch-dependent arms, one play per round: explore-then-commit and framed UCB.
//
// A virtual copy of each arm runs a plan, a cycle of the arm's states; among the arms whose copies
// play now, the one with the largest index at its virtual state is really played. No random numbers
// are drawn here: noise and draws are uniforms from outside.
#pragma once

#include "topics/lsd_bandits/arms.hpp"

namespace rlt::lsd::learner {

// Plans of arm i are arm_first[i] .. arm_first[i + 1] - 1; the rounds of plan p are
// step_first[p] .. step_first[p + 1] - 1, with the arm's state and whether it is played.
struct Plans {
    std::span<const std::int32_t> arm_first;
    std::span<const std::int32_t> step_first;
    std::span<const std::int32_t> state;
    std::span<const std::uint8_t> played;

    std::int32_t period(std::int64_t p) const { return step_first[p + 1] - step_first[p]; }
};

// What an arm follows: plan `upper` with probability `share`, else `lower`; -1 is never to play.
struct Mixture {
    std::int32_t lower = -1;
    std::int32_t upper = -1;
    double share = 0.0;
};

// The relaxation under an index: concave hulls of the plans' rates, merged by decreasing slope
// until one play per round is used. Ties to the lowest arm; of plans at one point the shortest.
class Relaxer {
public:
    Relaxer(const Arms<double>& arms, const Plans& plans);

    // Fills `mixtures`; the value, per round, under the index.
    double solve(const double* index, std::vector<Mixture>& mixtures);

private:
    struct Segment {
        double slope, length;
        std::int32_t arm, lower, upper;
    };

    void hull(std::int64_t arm, const double* index);

    const Arms<double>& arms_;
    const Plans& plans_;
    std::vector<double> rate_;          // plays per round of each plan
    std::vector<std::int32_t> order_;   // each arm's plans by rate, then by period
    std::vector<std::int32_t> corner_;  // of the hull at hand
    std::vector<double> q_, v_;
    std::vector<Segment> segments_;
};

// The virtual copies of all arms.
class Copies {
public:
    Copies(const Arms<double>& arms, const Plans& plans);

    // Each arm draws a plan and an offset, from two uniforms.
    void draw(const std::vector<Mixture>& mixtures, const double* uniforms);
    void follow(std::int64_t arm, std::int32_t plan, std::int32_t offset);

    // The arm that is played this round, or -1; goes on to the next round.
    std::int32_t next(const double* index);

    // Whether every real state is at least the virtual one, before the round is played.
    bool dominated(const std::int32_t* state) const;

private:
    const Arms<double>& arms_;
    const Plans& plans_;
    std::vector<std::int32_t> plan_, phase_;
};

// What was seen and paid, round by round; arrays are as long as the run.
struct Record {
    std::int32_t* action;
    std::uint8_t* reward;
    double* mean;
    std::int64_t* plays;      // by state
    std::int64_t* successes;  // by state
};

// Plays arm `action` (-1: none) in round t, with noise in [0, 1).
void play_round(const Arms<double>& arms, std::int32_t* state, std::int32_t action, double noise,
                std::int64_t t, const Record& record);

void play(const Arms<double>& arms, std::int32_t* state, std::int64_t rounds, const double* noise,
          const Record& record);

struct FramedRun {
    std::int64_t frame;
    double width;           // the radius at n plays is width / sqrt(n)
    std::int64_t recovery;  // rests at the start of a frame
    bool rest_first;        // in the first frame too
    const double* noise;    // one a round
    const double* draws;    // two an arm and frame
};

// Fills the record and `upper`, the relaxation's value under the index of each frame; the number of
// rounds in which some real state was below the virtual one.
std::int64_t framed_ucb(const Arms<double>& arms, const Plans& plans, const FramedRun& run,
                        std::int64_t rounds, std::int32_t* state, const Record& record,
                        double* upper);

// The mean of what `rounds` rounds pay from `state`, over all draws of plans and offsets.
// `memory` rounds determine a state. Throws std::length_error above `most` simulated rounds.
double committed(const Arms<double>& arms, const Plans& plans, const double* index,
                 const std::int32_t* state, std::int64_t rounds, std::int64_t memory,
                 std::int64_t most);

}  // namespace rlt::lsd::learner
