// Exploration until a certificate is small: plan, play the same policy for a batch of episodes, and
// plan again.
//
// After t episodes the next batch has max{1, floor(growth t)} of them. In each, one of H + 1
// equally likely choices is made: a stage, at which the rule's exploring action is taken, or none.
// Words: episode k, counted from the learner's first, takes word k of the stream of stages, and
// step h of it word k H + h of the stream of actions; those of the world are as in episodes.hpp.
#pragma once

#include <cmath>

#include "learning/episodes.hpp"
#include "learning/intervals.hpp"

namespace rlt {

struct ExplorationWords {
    Words world;
    std::uint64_t stage_key[2], action_key[2];
};

// What was known after so many episodes.
struct Checkpoint {
    std::int64_t episodes;
    double gap, lower, upper;
};

// Where a run stands; it may go on from there.
struct Exploration {
    std::int64_t episodes = 0, steps = 0;
    std::int64_t left = 0;  // of the batch
    bool stopped = false;
    std::vector<Checkpoint> history;
};

struct StoppingRule {
    double growth, epsilon;
    std::int64_t until;  // episodes
};

// h' = floor(w (H + 1) / 2^64) - 1: no stage at -1.
inline std::int64_t exploring_stage(std::uint64_t word, std::int64_t H) {
    return static_cast<std::int64_t>((static_cast<Word128>(word) * (static_cast<Word128>(H) + 1)) >>
                                     64) -
           1;
}

inline double lower_start_value(const World& world, const SoftIntervals& rule) {
    return start_value(world, rule.lower(0));
}
inline double lower_start_value(const World& world, const GreedyIntervals& rule) {
    return start_value(world, rule.upper(0)) - start_value(world, rule.gap(0));
}

template <class Rule>
void explore(const World& world, Rule& rule, const ExplorationWords& words,
             const StoppingRule& stopping, Exploration& run, const Monitor& monitor) {
    const std::int64_t H = world.horizon;
    const auto stream = [&](const std::uint64_t (&key)[2], std::int64_t episode,
                            std::int64_t each) {
        return Philox(key[0], key[1],
                      static_cast<std::uint64_t>(episode) * static_cast<std::uint64_t>(each));
    };
    const std::int64_t first = words.world.first_episode;
    Philox starts = stream(words.world.start_key, first + run.episodes, 1);
    Philox moves = stream(words.world.transition_key, first + run.episodes, H);
    Philox stages = stream(words.stage_key, run.episodes, 1);
    Philox actions = stream(words.action_key, run.episodes, H);
    const double plan_work = static_cast<double>(rule.counts().S * rule.counts().stride * H);
    const auto look_up = static_cast<std::int64_t>(1.0 + 0x1.0p20 / plan_work);  // between monitors
    for (std::int64_t played = 0;; ++played) {
        if (run.left == 0) {
            rule.plan();
            const double gap = start_value(world, rule.gap(0));
            run.history.push_back({run.episodes, gap, lower_start_value(world, rule),
                                   start_value(world, rule.upper(0))});
            if (gap <= stopping.epsilon) {
                run.stopped = true;
                return;
            }
            run.left = std::max(std::int64_t{1},
                                static_cast<std::int64_t>(std::floor(
                                    stopping.growth * static_cast<double>(run.episodes))));
        }
        if (run.episodes >= stopping.until) return;
        const std::int64_t exploring = exploring_stage(stages.next(), H);
        const std::int64_t steps = play_episode(
            world, world.starts.draw(0, starts.next()), moves,
            [&](std::int64_t h, std::int64_t s) {
                return rule.act(h, s, actions.uniform(), h == exploring);
            },
            [&](std::int64_t h, std::int64_t s, std::int64_t a, std::int64_t, std::int64_t next) {
                rule.observe(h, s, a, next);
            });
        ++run.episodes;
        --run.left;
        run.steps += steps;
        if (steps < H) {
            moves = stream(words.world.transition_key, first + run.episodes, H);
            actions = stream(words.action_key, run.episodes, H);
        }
        if (played % look_up == 0) monitor();
    }
}

}  // namespace rlt
