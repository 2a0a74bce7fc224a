// Schedules of last-switch-dependent arms: arguments are checked here, lengths and words in Python.
#pragma once

#include <numeric>

#include "bindings/lsd_arms.hpp"
#include "topics/lsd_bandits/schedule.hpp"

namespace rlt {

// What all functions take: arms with ranks for payoffs, their plans, and how to choose.
class LsdSetting {
public:
    LsdSetting(const Array<std::int32_t>& sizes, const Array<std::int32_t>& play_next,
               const Array<std::int32_t>& rest_next, const Array<std::int32_t>& ranks,
               const Array<std::int32_t>& first, const Array<std::int64_t>& begin,
               const Array<std::int32_t>& states, const Array<std::uint8_t>& plays,
               std::int64_t most_plays, std::int64_t rule, bool filler)
        : held_{sizes, play_next, rest_next, ranks, first, begin, states, plays},
          arms_(arms_of(sizes, play_next, rest_next, ranks)),
          plans_{span_of(first), span_of(begin), span_of(states), span_of(plays)},
          most_plays_(most_plays),
          rule_(static_cast<lsd::Rule>(rule)),
          filler_(filler) {
        if (most_plays < 1 || most_plays > arms_.count())
            throw std::invalid_argument("plays must be in 1..N");
        if (rule < 0 || rule > 2) throw std::invalid_argument("there is no such rule");
        if (rule_ == lsd::Rule::block_commit && most_plays != 1)
            throw std::invalid_argument("one block at a time is played");
        need_size(first, arms_.count() + 1, "first");
        const std::int64_t count = plans_.first.back();
        if (plans_.first[0] != 0) throw std::invalid_argument("plans start at 0");
        for (std::int64_t i = 0; i < arms_.count(); ++i)
            if (plans_.first[i + 1] <= plans_.first[i])
                throw std::invalid_argument("arm " + std::to_string(i) + " has no plan");
        need_size(begin, count + 1, "begin");
        if (plans_.begin[0] != 0) throw std::invalid_argument("rounds start at 0");
        for (std::int64_t j = 0; j < count; ++j)
            if (plans_.period(j) < 1) throw std::invalid_argument("a plan has no rounds");
        need_size(states, plans_.begin.back(), "states");
        need_size(plays, plans_.begin.back(), "plays");
        for (std::int64_t i = 0; i < arms_.count(); ++i) need_states(i);
    }

    lsd::Setting view() const { return {arms_, plans_, most_plays_, rule_, filler_}; }
    std::int64_t arms() const { return arms_.count(); }
    std::int64_t states() const { return arms_.first.back(); }

    void need_choice(const Array<std::int32_t>& plans, const Array<std::int64_t>& phases) const {
        if (plans.size() != phases.size() || plans.size() % arms() != 0)
            throw std::invalid_argument("plans and phases need one entry for each arm");
        for (std::int64_t j = 0; j < plans.size(); ++j) {
            const std::int64_t i = j % arms(), plan = plans.data()[j], phase = phases.data()[j];
            if (plan < plans_.first[i] || plan >= plans_.first[i + 1] || phase < 0 ||
                phase >= plans_.period(plan))
                throw std::invalid_argument("arm " + std::to_string(i) +
                                            " has no such plan or round of it");
        }
    }

    // The tuples of plans. Tuples of offsets must be few enough for all sums to fit, and the pairs
    // of a round of the common period and a joint state, where they are marked, for the memory.
    std::int64_t need_few_offsets() const {
        std::int64_t tuples = 1, offsets = 1, nodes = 8 * (arms() + 1), common = 1;
        for (std::int64_t i = 0; i < arms(); ++i) {
            std::int64_t longest = 1;
            for (std::int32_t j = plans_.first[i]; j < plans_.first[i + 1]; ++j) {
                longest = std::max(longest, plans_.period(j));
                common = std::min(most, std::lcm(common, plans_.period(j)));
            }
            grow(tuples, plans_.first[i + 1] - plans_.first[i]);
            grow(offsets, longest);
        }
        if (rule_ == lsd::Rule::virtual_payoff && !filler_ && lsd::moves_are_ordered(arms_))
            return tuples;
        for (const std::int32_t size : arms_.sizes) grow(nodes, size);
        grow(nodes, std::min(common, offsets));
        return tuples;
    }

private:
    static constexpr std::int64_t most = std::int64_t{1} << 28;

    static void grow(std::int64_t& product, std::int64_t factor) {
        product *= factor;
        if (product > most)
            throw std::overflow_error("there are more than 2^28 tuples to enumerate");
    }

    void need_states(std::int64_t i) const {
        for (std::int64_t t = plans_.begin[plans_.first[i]]; t < plans_.begin[plans_.first[i + 1]];
             ++t)
            if (plans_.states[t] < (plans_.plays[t] != 0 ? 0 : -1) ||
                plans_.states[t] >= arms_.sizes[i])
                throw std::invalid_argument("arm " + std::to_string(i) + " has no state " +
                                            std::to_string(plans_.states[t]));
    }

    std::tuple<Array<std::int32_t>, Array<std::int32_t>, Array<std::int32_t>, Array<std::int32_t>,
               Array<std::int32_t>, Array<std::int64_t>, Array<std::int32_t>, Array<std::uint8_t>>
        held_;
    lsd::RankedArms arms_;
    lsd::Plans plans_;
    std::int64_t most_plays_;
    lsd::Rule rule_;
    bool filler_;
};

inline Tuple<py::array_t<std::int32_t>, py::array_t<std::uint8_t>, std::int64_t> lsd_run(
    const LsdSetting& setting, const Array<std::int32_t>& plans, const Array<std::int64_t>& phases,
    const Array<std::int32_t>& start, std::int64_t rounds) {
    const std::int64_t n = setting.arms();
    need_size(plans, n, "plans");
    setting.need_choice(plans, phases);
    need_size(start, n, "start");
    const auto view = setting.view();
    for (std::int64_t i = 0; i < n; ++i)
        if (start.data()[i] < 0 || start.data()[i] >= view.arms.sizes[i])
            throw std::invalid_argument("arm " + std::to_string(i) + " cannot start there");
    if (rounds < 0) throw std::invalid_argument("rounds must be at least 0");
    py::array_t<std::int32_t> states({rounds, n});
    py::array_t<std::uint8_t> plays({rounds, n});
    std::int32_t* s = states.mutable_data();
    std::uint8_t* p = plays.mutable_data();
    std::int64_t violations = 0;
    {
        const py::gil_scoped_release nogil;
        violations =
            lsd::run_schedule(view, plans.data(), phases.data(), start.data(), rounds, s, p);
    }
    return py::make_tuple(states, plays, violations);
}

inline Tuple<py::array_t<std::int64_t>, std::int64_t, std::int64_t> lsd_long_run(
    const LsdSetting& setting, const Array<std::int32_t>& plans, const Array<std::int64_t>& phases,
    std::int64_t most_rounds) {
    need_size(plans, setting.arms(), "plans");
    setting.need_choice(plans, phases);
    const auto view = setting.view();
    std::int64_t period = 1;
    for (std::int64_t i = 0; i < setting.arms(); ++i) {
        const std::int64_t length = view.plans.period(plans.data()[i]);
        if (period > most_rounds / length)
            throw std::overflow_error("the common period is above most_rounds");
        period = std::lcm(period, length);
    }
    py::array_t<std::int64_t> counts(setting.states());
    std::int64_t* out = counts.mutable_data();
    lsd::LongRun found{};
    {
        const py::gil_scoped_release nogil;
        found = lsd::long_run(view, plans.data(), phases.data(), period, most_rounds, out);
    }
    return py::make_tuple(counts, found.rounds, found.violations);
}

inline Tuple<py::array_t<std::int64_t>, std::int64_t> lsd_window_counts(
    const LsdSetting& setting, const Array<std::int32_t>& plans, const Array<std::int64_t>& phases,
    std::int64_t skipped, std::int64_t rounds) {
    setting.need_choice(plans, phases);
    if (skipped < 0 || rounds < 0) throw std::invalid_argument("rounds must be at least 0");
    const std::int64_t n = plans.size() / setting.arms();
    py::array_t<std::int64_t> counts({n, setting.states()});
    std::int64_t* out = counts.mutable_data();
    const auto view = setting.view();
    std::int64_t violations = 0;
    {
        const py::gil_scoped_release nogil;
        violations = lsd::window_counts(view, n, plans.data(), phases.data(), skipped, rounds, out);
    }
    return py::make_tuple(counts, violations);
}

inline Tuple<py::array_t<std::int64_t>, py::array_t<std::int64_t>, std::int64_t>
lsd_expected_counts(const LsdSetting& setting) {
    const std::int64_t tuples = setting.need_few_offsets();
    py::array_t<std::int64_t> counts({tuples, setting.states()});
    py::array_t<std::int64_t> rounds(tuples);
    std::int64_t* out = counts.mutable_data();
    std::int64_t* over = rounds.mutable_data();
    const auto view = setting.view();
    std::int64_t violations = 0;
    {
        const py::gil_scoped_release nogil;
        violations = lsd::expected_counts(view, out, over);
    }
    return py::make_tuple(counts, rounds, violations);
}

inline Tuple<py::array_t<std::int64_t>, std::int64_t> lsd_expected_curve(const LsdSetting& setting,
                                                                         std::int64_t length) {
    if (length < 0) throw std::invalid_argument("rounds must be at least 0");
    const std::int64_t tuples = setting.need_few_offsets();
    py::array_t<std::int64_t> counts({tuples, length, setting.states()});
    std::int64_t* out = counts.mutable_data();
    const auto view = setting.view();
    std::int64_t violations = 0;
    {
        const py::gil_scoped_release nogil;
        violations = lsd::expected_curve(view, length, out);
    }
    return py::make_tuple(counts, violations);
}

inline void bind_lsd_schedule(py::module_& m) {
    py::class_<LsdSetting>(m, "LsdSetting",
                           "Arms with ranks for payoffs, their plans, and how plays are chosen.")
        .def(py::init<const Array<std::int32_t>&, const Array<std::int32_t>&,
                      const Array<std::int32_t>&, const Array<std::int32_t>&,
                      const Array<std::int32_t>&, const Array<std::int64_t>&,
                      const Array<std::int32_t>&, const Array<std::uint8_t>&, std::int64_t,
                      std::int64_t, bool>(),
             py::arg("sizes").noconvert(), py::arg("play_next").noconvert(),
             py::arg("rest_next").noconvert(), py::arg("ranks").noconvert(),
             py::arg("first").noconvert(), py::arg("begin").noconvert(),
             py::arg("states").noconvert(), py::arg("plan_plays").noconvert(), py::arg("plays"),
             py::arg("rule"), py::arg("filler"))
        .def("run", &lsd_run, py::arg("plans").noconvert(), py::arg("phases").noconvert(),
             py::arg("start").noconvert(), py::arg("rounds"),
             py::doc("States and plays round by round, and violations of dominance."))
        .def("long_run", &lsd_long_run, py::arg("plans").noconvert(), py::arg("phases").noconvert(),
             py::arg("most_rounds"),
             py::doc("Plays in each state in one period, its rounds, and violations."))
        .def("window_counts", &lsd_window_counts, py::arg("plans").noconvert(),
             py::arg("phases").noconvert(), py::arg("skipped"), py::arg("rounds"),
             py::doc("Plays in each state of many schedules, and violations."))
        .def("expected_counts", &lsd_expected_counts,
             py::doc(
                 "For each tuple of plans: plays in each state, over so many rounds; violations."))
        .def("expected_curve", &lsd_expected_curve, py::arg("length"),
             py::doc("For each tuple of plans and each round: plays in each state; violations."));
}

}  // namespace rlt
