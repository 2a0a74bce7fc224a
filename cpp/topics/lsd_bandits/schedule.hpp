// Interleaved schedules: every arm has a plan, a cycle that a virtual copy of the arm runs through
// for ever; in each round at most k of the arms whose virtual copies play are really played.
//
// Payoffs are ranks here: equal numbers for equal payoffs, in the order of payoffs, 0 for the
// payoff 0. What is counted is how often each arm is played in each state, so that averages are
// exact for payoffs of any kind.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "topics/lsd_bandits/arms.hpp"

namespace rlt::lsd {

using RankedArms = Arms<std::int32_t>;

// Which candidates are played: those of the largest payoff in their virtual or in their real state,
// ties to the lowest index; or one whole block of plays at a time, whichever starts when none runs.
enum class Rule { virtual_payoff, real_payoff, block_commit };

// Plans of arm i are first[i] .. first[i + 1] - 1; the rounds of plan j are begin[j] ..
// begin[j + 1] - 1. A virtual state of -1 stands for no virtual copy: the arm is never played.
struct Plans {
    std::span<const std::int32_t> first;
    std::span<const std::int64_t> begin;
    std::span<const std::int32_t> states;
    std::span<const std::uint8_t> plays;

    std::int64_t period(std::int64_t plan) const { return begin[plan + 1] - begin[plan]; }
};

struct Setting {
    const RankedArms& arms;
    const Plans& plans;
    std::int64_t most_plays;
    Rule rule;
    // Whether arms without a virtual copy are played greedily where candidates are too few.
    bool filler;
};

// One schedule, round after round.
class Interleaving {
public:
    explicit Interleaving(const Setting& setting);

    // Chosen plans (indices among all), and the round of its cycle each is in.
    void choose(const std::int32_t* plans, const std::int64_t* phases);
    void move_to(const std::int32_t* states);
    void move_to_top();

    // Decides this round: afterwards `played` lists the arms. Then `advance` moves all arms on.
    void decide();
    void advance();

    std::span<const std::int32_t> played() const {
        return {played_.data(), static_cast<std::size_t>(count_)};
    }
    const std::vector<std::int32_t>& states() const { return states_; }
    std::int64_t running() const { return running_; }
    void add_plays(std::int64_t* counts) const;

    // A number for the real states and for the block that is running.
    std::int64_t joint() const;
    std::int64_t joints() const {
        const bool blocks = setting_.rule == Rule::block_commit;
        return setting_.arms.joint_states() * (blocks ? setting_.arms.count() + 1 : 1);
    }

    // How often a real state was below its virtual one, or a play paid less than its virtual one.
    std::int64_t violations() const { return violations_; }

private:
    void insert(std::int32_t arm, std::int32_t rank, std::int64_t from);
    void decide_blocks();

    const Setting setting_;
    std::vector<std::int64_t> at_, begin_, end_;
    std::vector<std::int32_t> states_, played_, ranks_;
    std::vector<std::uint8_t> is_played_;
    std::int64_t count_ = 0, running_ = -1, violations_ = 0;
};

// states[t * N + i] at the start of round t, and whether arm i is played then; returns violations.
std::int64_t run_schedule(const Setting& setting, const std::int32_t* plans,
                          const std::int64_t* phases, const std::int32_t* start,
                          std::int64_t rounds, std::int32_t* states, std::uint8_t* plays);

// counts[s] = plays in each state within one period of the real states, by Brent's algorithm on
// every `period`-th round; returns the rounds of that period, 0 if it is not over by `most_rounds`.
struct LongRun {
    std::int64_t rounds, violations;
};
LongRun long_run(const Setting& setting, const std::int32_t* plans, const std::int64_t* phases,
                 std::int64_t period, std::int64_t most_rounds, std::int64_t* counts);

// For each of n schedules the plays in each state in `rounds` rounds after `skipped` ones.
std::int64_t window_counts(const Setting& setting, std::int64_t n, const std::int32_t* plans,
                           const std::int64_t* phases, std::int64_t skipped, std::int64_t rounds,
                           std::int64_t* counts);

// Whether plays and rests keep the order of states.
bool moves_are_ordered(const RankedArms& arms);

// For each tuple of plans, first arm slowest: the plays in each state summed over all tuples of
// offsets, in so many rounds, when every schedule runs for ever; `counts` over `rounds` is the
// mean.
std::int64_t expected_counts(const Setting& setting, std::int64_t* counts, std::int64_t* rounds);

// For each tuple of plans and each of the first rounds: plays summed over all tuples of offsets.
std::int64_t expected_curve(const Setting& setting, std::int64_t length, std::int64_t* counts);

}  // namespace rlt::lsd
