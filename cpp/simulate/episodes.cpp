#include "simulate/episodes.hpp"

#include <algorithm>

#include "support/parallel.hpp"

namespace rlt {

namespace {

std::int64_t chosen_row(const ModelView& m, const MarkovPolicy& policy, std::int64_t h,
                        std::int64_t stage, std::int32_t state, std::uint64_t word) {
    if (policy.row) return policy.row[h * policy.stage_step + state];
    const double* weight = policy.weight + h * policy.stage_step;
    const double u = static_cast<double>(word >> 11) * 0x1.0p-53;
    double sum = 0.0;
    std::int64_t possible = m.row_begin(stage, state);
    for (std::int64_t row = possible; row < m.row_end(stage, state); ++row) {
        if (weight[row] == 0.0) continue;
        possible = row;
        sum += weight[row];
        if (u < sum) break;
    }
    return possible;  // the last possible one where rounding left the sum below u
}

}  // namespace

Episodes sample_episodes(const Model& model, const RowSampler& rows, const RewardSampler& rewards,
                         const RowSampler& start, const MarkovPolicy& policy,
                         const EpisodeKeys& keys, const std::int64_t* episode, std::int64_t count,
                         std::int64_t steps, const Monitor& monitor) {
    const ModelView& m = model.view;
    const std::int64_t size = std::max<std::int64_t>(1, 4096 / steps);
    const Blocks blocks{count, size};
    std::vector<Episodes> part(static_cast<std::size_t>(blocks.count()));
    const auto run = [&](std::int64_t b) {
        Episodes& own = part[static_cast<std::size_t>(b)];
        for (std::int64_t i = blocks.begin(b); i < blocks.end(b); ++i) {
            const auto e = static_cast<std::uint64_t>(episode[i]);
            const std::uint64_t word = e * static_cast<std::uint64_t>(steps);
            Philox moves(keys.transitions.first, keys.transitions.second, word);
            Philox paid(keys.rewards.first, keys.rewards.second, word);
            Philox choice(keys.actions.first, keys.actions.second, word);
            std::int32_t state =
                start.draw(0, Philox(keys.starts.first, keys.starts.second, e).next());
            std::int64_t h = 0;
            for (; h < steps && state != ended; ++h) {
                const std::int64_t stage = m.n_stages > 1 ? h : 0;
                const std::uint64_t drawn = policy.row ? 0 : choice.next();
                const std::int64_t row = chosen_row(m, policy, h, stage, state, drawn);
                const std::int32_t next = rows.draw(row, moves.next());
                own.state.push_back(state);
                own.action.push_back(m.action[row]);
                own.reward.push_back(
                    rewards.draw(row, next, rewards.is_random() ? paid.next() : 0));
                state = next;
            }
            own.final_state.push_back(state);
            own.length.push_back(h);
        }
    };
    // Whoever waits can interrupt between groups of blocks.
    constexpr std::int64_t group = 256;
    for (std::int64_t b = 0; b < blocks.count(); b += group) {
        const std::int64_t some = std::min(group, blocks.count() - b);
        parallel_blocks(some, some * size * std::min<std::int64_t>(steps, 4096) * 64,
                        [&](std::int64_t i) { run(b + i); });
        monitor();
    }
    Episodes all;
    const auto append = [](auto& to, const auto& from) {
        to.insert(to.end(), from.begin(), from.end());
    };
    for (const Episodes& own : part) {
        append(all.state, own.state);
        append(all.action, own.action);
        append(all.reward, own.reward);
        append(all.final_state, own.final_state);
        append(all.length, own.length);
    }
    return all;
}

}  // namespace rlt
