// The one loop of tabular learners: plan, then act and observe, episode after episode.
//
// Words: the start of episode k takes word k of its stream, and the transition of its stage h word
// k H + h of another, as in `rltheory.mdp.access`; so what happens depends on the seed and on the
// actions alone.
#pragma once

#include "learning/planner.hpp"
#include "learning/played.hpp"
#include "model/view.hpp"
#include "simulate/row_sampler.hpp"
#include "support/monitor.hpp"

namespace rlt {

// The row of the model that (stage, state, action) has, or -1.
class RowTable {
public:
    explicit RowTable(const ModelView& m)
        : staged_(m.n_stages > 1),
          S_(m.n_states),
          A_(m.n_actions),
          row_(static_cast<std::size_t>(m.n_stages * m.n_states * m.n_actions), -1) {
        for (std::int64_t stage = 0; stage < m.n_stages; ++stage)
            for (std::int64_t s = 0; s < S_; ++s)
                for (std::int64_t r = m.row_begin(stage, s); r < m.row_end(stage, s); ++r)
                    row_[static_cast<std::size_t>((stage * S_ + s) * A_ + m.action[r])] = r;
    }

    std::int64_t row(std::int64_t h, std::int64_t s, std::int64_t a) const {
        return row_[static_cast<std::size_t>(((staged_ ? h : 0) * S_ + s) * A_ + a)];
    }

private:
    bool staged_;
    std::int64_t S_, A_;
    std::vector<std::int64_t> row_;
};

// Where episodes happen: a model with a horizon, whose rewards are not random.
struct World {
    const ModelView& model;
    std::int64_t horizon;
    RowTable table;
    const double* initial;
    RowSampler rows, starts;  // `starts` has one row: the start law

    World(const ModelView& m, std::int64_t H, const double* rho)
        : model(m), horizon(H), table(m), initial(rho), rows(m), starts(one_row(m, rho)) {}

private:
    static ModelView one_row(const ModelView& m, const double* rho) {
        ModelView law;
        law.n_states = law.n_entries = m.n_states;
        law.n_rows = 1;
        law.storage = Storage::dense;
        law.prob = rho;
        return law;
    }
};

inline double start_value(const World& world, const double* value) {
    double sum = 0.0;
    for (std::int64_t s = 0; s < world.model.n_states; ++s) sum += world.initial[s] * value[s];
    return sum;
}

struct Words {
    std::uint64_t start_key[2], transition_key[2];
    std::int64_t first_episode;
};

// What a caller may ask for besides; null where it does not.
struct Trace {
    std::int32_t* states = nullptr;  // (episodes, H), -1 after the end
    double* bounds = nullptr;        // rho V_0 of the plan of each episode
};

// One episode from state s: act(h, s) chooses, and observe(h, s, a, row, next) is told what came of
// it. Each transition takes the next word. Returns the number of steps.
template <class Act, class Observe>
std::int64_t play_episode(const World& world, std::int64_t s, Philox& words, Act&& act,
                          Observe&& observe) {
    std::int64_t h = 0;
    for (; h < world.horizon && s != ended; ++h) {
        const std::int64_t a = act(h, s);
        const std::int64_t row = world.table.row(h, s, a);
        const std::int64_t next = world.rows.draw(row, words.next());
        observe(h, s, a, row, next);
        s = next;
    }
    return h;
}

// Returns the number of steps.
template <class Planner>
std::int64_t play(const World& world, Planner& learner, const Words& words, std::int64_t episodes,
                  PlayedPolicies& played, double* returns, const Trace& trace,
                  const Monitor& monitor) {
    const std::int64_t H = world.horizon, S = world.model.n_states;
    const auto first = static_cast<std::uint64_t>(words.first_episode);
    const auto transitions_from = [&](std::uint64_t episode) {
        return Philox(words.transition_key[0], words.transition_key[1],
                      episode * static_cast<std::uint64_t>(H));
    };
    Philox starts(words.start_key[0], words.start_key[1], first);
    Philox moves = transitions_from(first);
    const std::int64_t plan_work = H * S * S * world.model.n_actions;
    const std::int64_t look_up = 1 + (std::int64_t{1} << 20) / plan_work;  // between monitors
    std::int64_t steps = 0;
    for (std::int64_t k = 0; k < episodes; ++k) {
        if (learner.plan()) played.add(k, learner.policy());
        const std::uint16_t* policy = learner.policy();
        if (trace.bounds) trace.bounds[k] = start_value(world, learner.value(0));
        double total = 0.0;
        const std::int64_t h = play_episode(
            world, world.starts.draw(0, starts.next()), moves,
            [&](std::int64_t stage, std::int64_t s) { return policy[stage * S + s]; },
            [&](std::int64_t stage, std::int64_t s, std::int64_t a, std::int64_t row,
                std::int64_t next) {
                if (trace.states) trace.states[k * H + stage] = static_cast<std::int32_t>(s);
                const double reward = world.model.reward[row];
                learner.observe(stage, s, a, reward, next);
                total += reward;
            });
        steps += h;
        if (trace.states) std::fill(trace.states + k * H + h, trace.states + (k + 1) * H, -1);
        if (h < H) moves = transitions_from(first + static_cast<std::uint64_t>(k) + 1);
        returns[k] = total;
        if (k % look_up == 0) monitor();
    }
    return steps;
}

}  // namespace rlt
