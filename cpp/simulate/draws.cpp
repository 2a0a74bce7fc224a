#include "simulate/draws.hpp"

#include <algorithm>

#include "support/parallel.hpp"

namespace rlt {

namespace {

constexpr std::int64_t work_of_draw = 32;

}  // namespace

void draw_rows(const RowSampler& rows, const RewardSampler& rewards, const Streams& streams,
               const std::int64_t* row, std::int64_t count, std::int32_t* next, double* reward) {
    const Blocks blocks{count, 4096};
    parallel_blocks(blocks.count(), count * work_of_draw, [&](std::int64_t b) {
        const std::int64_t first = blocks.begin(b), last = blocks.end(b);
        const std::uint64_t word = streams.from + static_cast<std::uint64_t>(first);
        Philox moves(streams.transitions.first, streams.transitions.second, word);
        Philox paid(streams.rewards.first, streams.rewards.second, word);
        for (std::int64_t i = first; i < last; ++i) {
            next[i] = rows.draw(row[i], moves.next());
            reward[i] = rewards.draw(row[i], next[i], rewards.is_random() ? paid.next() : 0);
        }
    });
}

NextCounts draw_every_row(const RowSampler& rows, const RewardSampler& rewards,
                          const Streams& streams, std::int64_t states, std::int64_t n,
                          const Monitor& monitor) {
    const std::int64_t R = rows.n_rows();
    const Blocks blocks = blocks_for(R, R * n * work_of_draw);
    std::vector<NextCounts> part(static_cast<std::size_t>(blocks.count()));
    const auto run = [&](std::int64_t b) {
        NextCounts& own = part[static_cast<std::size_t>(b)];
        std::vector<std::int64_t> seen(static_cast<std::size_t>(states), 0);
        std::vector<std::int32_t> met;
        const auto first = streams.from + static_cast<std::uint64_t>(blocks.begin(b)) *
                                              static_cast<std::uint64_t>(n);
        Philox moves(streams.transitions.first, streams.transitions.second, first);
        Philox paid(streams.rewards.first, streams.rewards.second, first);
        for (std::int64_t r = blocks.begin(b); r < blocks.end(b); ++r) {
            met.clear();
            double sum = 0.0;
            for (std::int64_t i = 0; i < n; ++i) {
                const std::int32_t next = rows.draw(r, moves.next());
                sum += rewards.draw(r, next, rewards.is_random() ? paid.next() : 0);
                if (next == ended) continue;
                if (seen[static_cast<std::size_t>(next)]++ == 0) met.push_back(next);
            }
            std::sort(met.begin(), met.end());
            for (const std::int32_t s : met) {
                own.col.push_back(s);
                own.count.push_back(seen[static_cast<std::size_t>(s)]);
                seen[static_cast<std::size_t>(s)] = 0;
            }
            own.row_ptr.push_back(static_cast<std::int64_t>(met.size()));
            own.reward_sum.push_back(sum);
        }
    };
    // Whoever waits can interrupt between groups of blocks.
    const std::int64_t work = blocks.size * n * work_of_draw;
    const std::int64_t group =
        std::max<std::int64_t>(thread_count(), (std::int64_t{1} << 30) / work);
    for (std::int64_t b = 0; b < blocks.count(); b += group) {
        const std::int64_t some = std::min(group, blocks.count() - b);
        parallel_blocks(some, some * work, [&](std::int64_t i) { run(b + i); });
        monitor();
    }
    NextCounts all;
    all.row_ptr.push_back(0);
    for (const NextCounts& own : part) {
        for (const std::int64_t length : own.row_ptr)
            all.row_ptr.push_back(all.row_ptr.back() + length);
        all.col.insert(all.col.end(), own.col.begin(), own.col.end());
        all.count.insert(all.count.end(), own.count.begin(), own.count.end());
        all.reward_sum.insert(all.reward_sum.end(), own.reward_sum.begin(), own.reward_sum.end());
    }
    return all;
}

}  // namespace rlt
