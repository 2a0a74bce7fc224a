// Episodes of a Markov policy, many at once.
//
// Episode e of at most T steps starts from word e of the stream of starts; its step h takes word
// e T + h of the streams of actions, transitions and rewards. Which episodes are drawn, in which
// order, and by how many threads, changes none of them.
#pragma once

#include <cstdint>
#include <vector>

#include "simulate/draws.hpp"

namespace rlt {

struct EpisodeKeys {
    Key starts, actions, transitions, rewards;
};

// The policy: a row for each (stage, state), or the probabilities of the rows, of which the first
// is taken at which their sum exceeds the word's uniform. Stage h looks at `stage_step * h` from
// the beginning of either.
struct MarkovPolicy {
    const std::int64_t* row = nullptr;
    const double* weight = nullptr;  // null if `row` is given
    std::int64_t stage_step = 0;
};

struct Episodes {
    std::vector<std::int32_t> state, action;
    std::vector<double> reward;
    std::vector<std::int32_t> final_state;
    std::vector<std::int64_t> length;
};

Episodes sample_episodes(const Model& model, const RowSampler& rows, const RewardSampler& rewards,
                         const RowSampler& start, const MarkovPolicy& policy,
                         const EpisodeKeys& keys, const std::int64_t* episode, std::int64_t count,
                         std::int64_t steps, const Monitor& monitor);

}  // namespace rlt
