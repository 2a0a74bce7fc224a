// Last-switch-dependent bandits: rounds of play, framed UCB, and what committing pays.
#pragma once

#include "bindings/lsd_arms.hpp"
#include "topics/lsd_bandits/learner.hpp"

namespace rlt {

struct LsdRun {
    py::array_t<std::int32_t> action;
    py::array_t<std::uint8_t> reward;
    py::array_t<double> mean;
    py::array_t<std::int64_t> plays, successes;
    py::array_t<std::int32_t> state;

    LsdRun(std::int64_t rounds, const lsd::Arms<double>& arms, const Array<std::int32_t>& start)
        : action(rounds),
          reward(rounds),
          mean(rounds),
          plays(static_cast<py::ssize_t>(arms.payoffs.size())),
          successes(static_cast<py::ssize_t>(arms.payoffs.size())),
          state(arms.count()) {
        need_size(start, arms.count(), "state");
        for (std::int64_t i = 0; i < arms.count(); ++i) {
            if (start.data()[i] < 0 || start.data()[i] >= arms.sizes[i])
                throw std::invalid_argument("arm " + std::to_string(i) + " cannot be in state " +
                                            std::to_string(start.data()[i]));
            state.mutable_data()[i] = start.data()[i];
        }
        std::fill_n(plays.mutable_data(), plays.size(), 0);
        std::fill_n(successes.mutable_data(), successes.size(), 0);
    }

    lsd::learner::Record record() {
        return {action.mutable_data(), reward.mutable_data(), mean.mutable_data(),
                plays.mutable_data(), successes.mutable_data()};
    }
};

using LsdRecord =
    Tuple<py::array_t<std::int32_t>, py::array_t<std::uint8_t>, py::array_t<double>,
          py::array_t<std::int64_t>, py::array_t<std::int64_t>, py::array_t<std::int32_t>>;

inline lsd::learner::Plans lsd_plans_of(const lsd::Arms<double>& arms,
                                        const Array<std::int32_t>& arm_first,
                                        const Array<std::int32_t>& step_first,
                                        const Array<std::int32_t>& state,
                                        const Array<std::uint8_t>& played) {
    need_size(arm_first, arms.count() + 1, "arm_first");
    need_size(played, state.size(), "played");
    const lsd::learner::Plans plans{span_of(arm_first), span_of(step_first), span_of(state),
                                    span_of(played)};
    const auto ascends = [](std::span<const std::int32_t> x, std::int64_t last, bool strictly) {
        if (x.empty() || x.front() != 0 || x.back() != last) return false;
        for (std::size_t i = 1; i < x.size(); ++i)
            if (x[i] < x[i - 1] + static_cast<int>(strictly)) return false;
        return true;
    };
    if (!ascends(plans.step_first, state.size(), true) ||
        !ascends(plans.arm_first, static_cast<std::int64_t>(plans.step_first.size()) - 1, false))
        throw std::invalid_argument("arm_first and step_first must ascend from 0 to the end");
    for (std::int64_t i = 0; i < arms.count(); ++i)
        for (std::int32_t j = plans.step_first[plans.arm_first[i]];
             j < plans.step_first[plans.arm_first[i + 1]]; ++j)
            if (plans.state[j] < 0 || plans.state[j] >= arms.sizes[i])
                throw std::invalid_argument("a plan of arm " + std::to_string(i) +
                                            " is in a state that the arm does not have");
    return plans;
}

inline LsdRecord lsd_play(const Array<std::int32_t>& sizes, const Array<std::int32_t>& play_next,
                          const Array<std::int32_t>& rest_next, const Array<double>& payoffs,
                          const Array<std::int32_t>& state, const Array<std::int32_t>& actions,
                          const Array<double>& noise) {
    const auto arms = arms_of(sizes, play_next, rest_next, payoffs);
    const std::int64_t rounds = actions.size();
    need_size(noise, rounds, "noise");
    LsdRun run(rounds, arms, state);
    for (std::int64_t t = 0; t < rounds; ++t) {
        if (actions.data()[t] < -1 || actions.data()[t] >= arms.count())
            throw std::invalid_argument("actions[" + std::to_string(t) + "] is " +
                                        std::to_string(actions.data()[t]) + "; it must be -1 or " +
                                        "an arm");
        run.action.mutable_data()[t] = actions.data()[t];
    }
    const auto record = run.record();
    std::int32_t* const now = run.state.mutable_data();
    const double* const words = noise.data();
    {
        const py::gil_scoped_release nogil;
        lsd::learner::play(arms, now, rounds, words, record);
    }
    return py::make_tuple(run.action, run.reward, run.mean, run.plays, run.successes, run.state);
}

inline Tuple<LsdRecord, py::array_t<double>, std::int64_t> lsd_framed_ucb(
    const Array<std::int32_t>& sizes, const Array<std::int32_t>& play_next,
    const Array<std::int32_t>& rest_next, const Array<double>& payoffs,
    const Array<std::int32_t>& arm_first, const Array<std::int32_t>& step_first,
    const Array<std::int32_t>& plan_state, const Array<std::uint8_t>& plan_played,
    const Array<std::int32_t>& state, std::int64_t frame, double width, std::int64_t recovery,
    bool rest_first, const Array<double>& noise, const Array<double>& draws) {
    const auto arms = arms_of(sizes, play_next, rest_next, payoffs);
    const auto plans = lsd_plans_of(arms, arm_first, step_first, plan_state, plan_played);
    const std::int64_t rounds = noise.size();
    if (frame < 1 || recovery < 0 || !(width >= 0.0))
        throw std::invalid_argument("frame must be at least 1, recovery and width at least 0");
    const std::int64_t frames = (rounds + frame - 1) / frame;
    need_size(draws, 2 * arms.count() * frames, "draws");
    LsdRun run(rounds, arms, state);
    py::array_t<double> upper(frames);
    const auto record = run.record();
    const lsd::learner::FramedRun how{frame,      width,        recovery,
                                      rest_first, noise.data(), draws.data()};
    std::int32_t* const now = run.state.mutable_data();
    double* const values = upper.mutable_data();
    std::int64_t below = 0;
    {
        const py::gil_scoped_release nogil;
        below = lsd::learner::framed_ucb(arms, plans, how, rounds, now, record, values);
    }
    const py::tuple seen =
        py::make_tuple(run.action, run.reward, run.mean, run.plays, run.successes, run.state);
    return py::make_tuple(seen, upper, below);
}

inline Tuple<double, py::array_t<std::int32_t>> lsd_commit(
    const Array<std::int32_t>& sizes, const Array<std::int32_t>& play_next,
    const Array<std::int32_t>& rest_next, const Array<double>& index,
    const Array<std::int32_t>& arm_first, const Array<std::int32_t>& step_first,
    const Array<std::int32_t>& plan_state, const Array<std::uint8_t>& plan_played,
    const Array<double>& draws, std::int64_t rounds) {
    const auto arms = arms_of(sizes, play_next, rest_next, index);
    const auto plans = lsd_plans_of(arms, arm_first, step_first, plan_state, plan_played);
    need_size(draws, 2 * arms.count(), "draws");
    if (rounds < 0) throw std::invalid_argument("rounds must be at least 0");
    py::array_t<std::int32_t> actions(rounds);
    std::int32_t* const chosen = actions.mutable_data();
    const double* const uniforms = draws.data();
    double value = 0.0;
    {
        const py::gil_scoped_release nogil;
        lsd::learner::Relaxer relaxer(arms, plans);
        lsd::learner::Copies copies(arms, plans);
        std::vector<lsd::learner::Mixture> mixtures(arms.count());
        value = relaxer.solve(arms.payoffs.data(), mixtures);
        copies.draw(mixtures, uniforms);
        for (std::int64_t t = 0; t < rounds; ++t) chosen[t] = copies.next(arms.payoffs.data());
    }
    return py::make_tuple(value, actions);
}

inline double lsd_committed(const Array<std::int32_t>& sizes, const Array<std::int32_t>& play_next,
                            const Array<std::int32_t>& rest_next, const Array<double>& payoffs,
                            const Array<std::int32_t>& arm_first,
                            const Array<std::int32_t>& step_first,
                            const Array<std::int32_t>& plan_state,
                            const Array<std::uint8_t>& plan_played, const Array<double>& index,
                            const Array<std::int32_t>& state, std::int64_t rounds,
                            std::int64_t memory, std::int64_t most) {
    const auto arms = arms_of(sizes, play_next, rest_next, payoffs);
    const auto plans = lsd_plans_of(arms, arm_first, step_first, plan_state, plan_played);
    need_size(index, payoffs.size(), "index");
    if (rounds < 0 || memory < 0) throw std::invalid_argument("rounds must be at least 0");
    const LsdRun start(0, arms, state);
    const double* const ranks = index.data();
    const std::int32_t* const from = start.state.data();
    const py::gil_scoped_release nogil;
    return lsd::learner::committed(arms, plans, ranks, from, rounds, memory, most);
}

inline void bind_lsd_learner(py::module_& m) {
    using py::arg;
    m.def("lsd_play", &lsd_play, arg("sizes").noconvert(), arg("play_next").noconvert(),
          arg("rest_next").noconvert(), arg("payoffs").noconvert(), arg("state").noconvert(),
          arg("actions").noconvert(), arg("noise").noconvert(),
          py::doc("Actions, rewards, means, plays and successes by state, and the last state."));
    m.def("lsd_framed_ucb", &lsd_framed_ucb, arg("sizes").noconvert(), arg("play_next").noconvert(),
          arg("rest_next").noconvert(), arg("payoffs").noconvert(), arg("arm_first").noconvert(),
          arg("step_first").noconvert(), arg("plan_state").noconvert(),
          arg("plan_played").noconvert(), arg("state").noconvert(), arg("frame"), arg("width"),
          arg("recovery"), arg("rest_first"), arg("noise").noconvert(), arg("draws").noconvert(),
          py::doc(
              "What lsd_play gives, each frame's relaxed value, and rounds of broken dominance."));
    m.def("lsd_commit", &lsd_commit, arg("sizes").noconvert(), arg("play_next").noconvert(),
          arg("rest_next").noconvert(), arg("index").noconvert(), arg("arm_first").noconvert(),
          arg("step_first").noconvert(), arg("plan_state").noconvert(),
          arg("plan_played").noconvert(), arg("draws").noconvert(), arg("rounds"),
          py::doc("The relaxed value under an index, and the arms that one draw of plans plays."));
    m.def("lsd_committed", &lsd_committed, arg("sizes").noconvert(), arg("play_next").noconvert(),
          arg("rest_next").noconvert(), arg("payoffs").noconvert(), arg("arm_first").noconvert(),
          arg("step_first").noconvert(), arg("plan_state").noconvert(),
          arg("plan_played").noconvert(), arg("index").noconvert(), arg("state").noconvert(),
          arg("rounds"), arg("memory"), arg("most"),
          py::doc("The mean of what a commitment pays, over all draws."));
}

}  // namespace rlt
