// Draws from a generative model: pairs are chosen by the caller, states and rewards follow.
//
// Draw i takes word i of each of two streams, transitions and rewards, whatever the threads.
#pragma once

#include <cstdint>
#include <vector>

#include "simulate/reward_sampler.hpp"
#include "simulate/row_sampler.hpp"
#include "support/monitor.hpp"

namespace rlt {

struct Key {
    std::uint64_t first, second;
};

struct Streams {
    Key transitions, rewards;
    std::uint64_t from;  // first word of both that is not yet used
};

void draw_rows(const RowSampler& rows, const RewardSampler& rewards, const Streams& streams,
               const std::int64_t* row, std::int64_t count, std::int32_t* next, double* reward);

// How often each state followed each row: CSR, with the sum of its rewards.
struct NextCounts {
    std::vector<std::int64_t> row_ptr, count;
    std::vector<std::int32_t> col;
    std::vector<double> reward_sum;
};

// n draws of every row; draw i of row r takes word r n + i.
NextCounts draw_every_row(const RowSampler& rows, const RewardSampler& rewards,
                          const Streams& streams, std::int64_t states, std::int64_t n,
                          const Monitor& monitor);

}  // namespace rlt
