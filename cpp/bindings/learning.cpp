#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>

#include "bindings/arrays.hpp"
#include "bindings/intervals.hpp"
#include "bindings/linear.hpp"
#include "bindings/module.hpp"
#include "learning/tabular.hpp"
#include "support/float_mode.hpp"
#include "support/parallel.hpp"

namespace rlt {

namespace {

std::shared_ptr<Bonus> make_bonus(const Doubles& scale, const Doubles& table, const Doubles& root,
                                  const Doubles& floor) {
    if (table.size() < 2) throw std::invalid_argument("the bonus has no counts");
    if (root.size() != 0) need_size(root, table.size(), "root");
    need_size(floor, root.size(), "floor");
    const auto copy = [](const Doubles& x) {
        if (!std::all_of(x.data(), x.data() + x.size(),
                         [](double y) { return std::isfinite(y) && y >= 0.0; }))
            throw std::invalid_argument("a bonus must be finite and at least 0");
        return std::vector<double>(x.data(), x.data() + x.size());
    };
    return std::make_shared<Bonus>(Bonus{copy(scale), copy(table), copy(root), copy(floor)});
}

void need_shape(std::int64_t horizon, std::int64_t states, std::int64_t actions) {
    if (horizon < 1 || states < 1 || actions < 1 || actions > 65536)
        throw std::invalid_argument(
            "horizon, states and actions must be at least 1, and actions "
            "at most 65536");
}

// Counts are dense: one double for each stage, pair and successor.
void need_counts(std::int64_t horizon, std::int64_t states, std::int64_t actions) {
    need_shape(horizon, states, actions);
    const double entries = static_cast<double>(horizon) * static_cast<double>(states) *
                           static_cast<double>(states) * static_cast<double>(actions);
    if (entries > 0x1.0p40)
        throw std::invalid_argument("counts of every stage, pair and successor do not fit memory");
}

void need_stages(std::int64_t horizon, const SharedBonus& bonus) {
    if (static_cast<std::int64_t>(bonus->scale.size()) != horizon)
        throw std::invalid_argument("scale must have an entry for each stage");
}

void need_model(const ModelView& m, std::int64_t horizon, const Doubles& initial) {
    need_shape(horizon, m.n_states, m.n_actions);
    if (m.n_stages > 1 && horizon != m.n_stages)
        throw std::invalid_argument("horizon " + std::to_string(horizon) +
                                    " does not fit the model");
    need_size(initial, m.n_states, "initial");
    if (horizon > (std::int64_t{1} << 31) / m.n_states)
        throw std::invalid_argument("horizon times states is above 2^31");
}

// A learner that is stepped from outside; its methods are called with the GIL held.
class SteppedLearner {
public:
    SteppedLearner(std::int64_t horizon, std::int64_t states, std::int64_t actions,
                   const std::shared_ptr<Bonus>& bonus, bool doubling, bool full,
                   bool random_rewards)
        : H(horizon),
          S(states),
          A(actions),
          learner((need_counts(horizon, states, actions), need_stages(horizon, bonus),
                   tabular_learner(
                       horizon, states, actions, bonus,
                       Habits{doubling ? Replanning::doubling : Replanning::every_episode,
                              full ? Induction::full : Induction::changes, random_rewards}))) {}

    bool plan() {
        const StandardFloatMode mode;
        return std::visit([](auto& x) { return x.plan(); }, learner);
    }

    void observe(std::int64_t h, std::int64_t s, std::int64_t a, double reward, std::int64_t next) {
        need_pair(h, s, a);
        if (next < -1 || next >= S)
            throw std::invalid_argument("there is no next state " + std::to_string(next));
        const StandardFloatMode mode;
        std::visit([&](auto& x) { x.observe(h, s, a, reward, next); }, learner);
    }

    void forbid(std::int64_t h, std::int64_t s, std::int64_t a) {
        need_pair(h, s, a);
        std::visit([&](auto& x) { x.forbid(h, s, a); }, learner);
    }

    std::int64_t play(const World& world, const Words& words, std::int64_t episodes,
                      PlayedPolicies& played, double* returns, const Trace& trace,
                      const Monitor& monitor) {
        return play_tabular(world, learner, words, episodes, played, returns, trace, monitor);
    }

    Array<std::uint16_t> policy() const {
        Array<std::uint16_t> out({H, S});
        std::visit([&](const auto& x) { std::copy_n(x.policy(), H * S, out.mutable_data()); },
                   learner);
        return out;
    }

    Doubles value() const {
        Doubles out({H + 1, S});
        std::visit(
            [&](const auto& x) {
                for (std::int64_t h = 0; h <= H; ++h)
                    std::copy_n(x.value(h), S, out.mutable_data() + h * S);
            },
            learner);
        return out;
    }

    Doubles q() const {
        Doubles out({H, S, A});
        std::visit(
            [&](const auto& x) {
                for (std::int64_t h = 0; h < H; ++h)
                    for (std::int64_t s = 0; s < S; ++s)
                        for (std::int64_t a = 0; a < A; ++a)
                            out.mutable_at(h, s, a) = x.q(h)[x.counts().column(s, a)];
            },
            learner);
        return out;
    }

    Array<std::int64_t> visits() const {
        return std::visit([](const auto& x) { return visits_of(x.counts()); }, learner);
    }

    Array<std::int64_t> transitions() const {
        return std::visit([](const auto& x) { return transitions_of(x.counts()); }, learner);
    }

    std::int64_t plans() const {
        return std::visit([](const auto& x) { return x.plans(); }, learner);
    }

    bool random_rewards() const {
        return std::visit([](const auto& x) { return x.random_rewards(); }, learner);
    }

    std::int64_t H, S, A;
    TabularLearner learner;

private:
    void need_pair(std::int64_t h, std::int64_t s, std::int64_t a) const {
        if (h < 0 || h >= H || s < 0 || s >= S || a < 0 || a >= A)
            throw std::invalid_argument("there is no stage " + std::to_string(h) + ", state " +
                                        std::to_string(s) + ", action " + std::to_string(a));
    }
};

// Integers in as many bytes as they were packed in.
py::array unpacked(const PackedIntegers& x) {
    const char* kind = x.width == 1 ? "u1" : x.width == 2 ? "u2" : "u4";
    py::array out(py::dtype(kind), std::vector<py::ssize_t>{x.size()});
    if (!x.bytes().empty()) std::memcpy(out.mutable_data(), x.bytes().data(), x.bytes().size());
    return out;
}

template <class T>
Array<T> as_array(const std::vector<T>& x) {
    Array<T> out(static_cast<std::int64_t>(x.size()));
    std::copy(x.begin(), x.end(), out.mutable_data());
    return out;
}

using Played = Tuple<Array<std::int64_t>, Array<std::int32_t>, Array<std::int64_t>, py::array,
                     py::array, Doubles, std::int64_t, Array<std::int32_t>, Doubles>;

// Run i is that of learners[i], with row i of `keys`: (start key, transition key), two words each.
template <class Learner>
py::typing::List<Played> play_runs(const ModelHandle& model, std::int64_t horizon,
                                   const Doubles& initial,
                                   const std::vector<std::shared_ptr<Learner>>& learners,
                                   std::int64_t episodes, std::int64_t first_episode,
                                   const Array<std::uint64_t>& keys, bool traced) {
    const ModelView& m = model->view;
    need_model(m, horizon, initial);
    const auto runs = static_cast<std::int64_t>(learners.size());
    if (keys.ndim() != 2 || keys.shape(0) != runs || keys.shape(1) != 4)
        throw std::invalid_argument("keys must have four words for each learner");
    if (episodes < 1 || first_episode < 0)
        throw std::invalid_argument("at least one episode must be played");
    for (std::size_t i = 0; i < learners.size(); ++i) {
        const Learner& x = *learners[i];
        if (x.H != horizon || x.S != m.n_states || x.A != m.n_actions)
            throw std::invalid_argument("a learner has other stages, states or actions");
        if (std::count(learners.begin(), learners.end(), learners[i]) != 1)
            throw std::invalid_argument("a learner can play one run at a time");
    }

    std::vector<PlayedPolicies> played;
    std::vector<Doubles> returns, bounds;
    std::vector<Array<std::int32_t>> states;
    std::vector<Trace> traces;
    std::vector<double*> paid;
    std::vector<std::int64_t> steps(learners.size(), 0);
    for (std::int64_t i = 0; i < runs; ++i) {
        played.emplace_back(horizon * m.n_states, m.n_actions);
        returns.emplace_back(episodes);
        paid.push_back(returns.back().mutable_data());
        states.emplace_back(std::vector<py::ssize_t>{traced ? episodes : 0, horizon});
        bounds.emplace_back(traced ? episodes : 0);
        traces.push_back(traced ? Trace{states.back().mutable_data(), bounds.back().mutable_data()}
                                : Trace{});
    }
    {
        const std::uint64_t* key = keys.data();
        const double* rho = initial.data();
        const py::gil_scoped_release release;
        const World world(m, horizon, rho);
        std::atomic<bool> over{false};  // one run was interrupted: the others stop as well
        parallel_blocks(runs, runs * episodes * horizon * m.n_states * 16, [&](std::int64_t i) {
            const auto run = static_cast<std::size_t>(i);
            const Monitor signals = python_monitor();
            const Monitor monitor = [&] {
                if (over.load(std::memory_order_relaxed)) throw std::runtime_error("interrupted");
                try {
                    signals();
                } catch (...) {
                    over.store(true);
                    throw;
                }
            };
            const Words words{
                {key[4 * i], key[4 * i + 1]}, {key[4 * i + 2], key[4 * i + 3]}, first_episode};
            steps[run] = learners[run]->play(world, words, episodes, played[run], paid[run],
                                             traces[run], monitor);
        });
    }
    py::list out;
    for (std::size_t i = 0; i < played.size(); ++i) {
        const PlayedPolicies& x = played[i];
        out.append(py::make_tuple(as_array(x.starts), as_array(x.which), as_array(x.offsets),
                                  unpacked(x.places), unpacked(x.actions), returns[i], steps[i],
                                  states[i], bounds[i]));
    }
    return out;
}

template <class Learner>
void def_play(py::module_& m) {
    m.def("play", &play_runs<Learner>, py::arg("model"), py::arg("horizon"),
          py::arg("initial").noconvert(), py::arg("learners"), py::arg("episodes"),
          py::arg("first_episode"), py::arg("keys").noconvert(), py::arg("traced"),
          py::doc("(starts, which, offsets, places, actions, returns, steps, states, bounds) of "
                  "each run."));
}

Doubles values_of_changes(const ModelHandle& model, std::int64_t horizon, const Doubles& initial,
                          const Array<std::int64_t>& offsets, const Array<std::uint32_t>& places,
                          const Array<std::uint16_t>& actions) {
    const ModelView& m = model->view;
    need_model(m, horizon, initial);
    need_size(actions, places.size(), "actions");
    const std::int64_t policies = offsets.size() - 1;
    const std::int64_t* o = offsets.data();
    bool ordered = policies >= 0 && o[0] == 0 && o[policies] == places.size();
    for (std::int64_t i = 0; ordered && i < policies; ++i) ordered = o[i] <= o[i + 1];
    if (!ordered) throw std::invalid_argument("offsets do not fit the changes");
    Doubles out(policies);
    {
        const double* rho = initial.data();
        const std::uint32_t* p = places.data();
        const std::uint16_t* a = actions.data();
        double* x = out.mutable_data();
        const py::gil_scoped_release release;
        const StandardFloatMode mode;
        start_values(m, horizon, rho, policies, o, p, a, x, python_monitor());
    }
    return out;
}

void bind_linear_learning(py::module_& m);

}  // namespace

void bind_learning(py::module_& m) {
    py::register_exception<RewardFault>(m, "RewardFault", PyExc_ValueError);

    py::class_<Bonus, std::shared_ptr<Bonus>>(
        m, "Bonus", "Tables over counts and a vector over stages, as a backup reads them.")
        .def(py::init(&make_bonus), py::arg("scale").noconvert(), py::arg("table").noconvert(),
             py::arg("root").noconvert(), py::arg("floor").noconvert());

    py::class_<SteppedLearner, std::shared_ptr<SteppedLearner>>(
        m, "TabularLearner", "Counts, optimistic backward induction and when to plan.")
        .def(py::init<std::int64_t, std::int64_t, std::int64_t, const std::shared_ptr<Bonus>&, bool,
                      bool, bool>(),
             py::arg("horizon"), py::arg("states"), py::arg("actions"),
             py::arg("bonus").none(false), py::arg("doubling"), py::arg("full") = false,
             py::arg("random_rewards") = false)
        .def("plan", &SteppedLearner::plan, py::doc("Plans if it is time to; whether it was."))
        .def("observe", &SteppedLearner::observe, py::arg("stage"), py::arg("state"),
             py::arg("action"), py::arg("reward"), py::arg("next_state"))
        .def("forbid", &SteppedLearner::forbid, py::arg("stage"), py::arg("state"),
             py::arg("action"), py::doc("The state does not have this action."))
        .def_property_readonly("policy", &SteppedLearner::policy)
        .def_property_readonly("value", &SteppedLearner::value)
        .def_property_readonly("q", &SteppedLearner::q)
        .def_property_readonly("visits", &SteppedLearner::visits)
        .def_property_readonly("transitions", &SteppedLearner::transitions)
        .def_property_readonly("plans", &SteppedLearner::plans)
        .def_property_readonly("random_rewards", &SteppedLearner::random_rewards);

    def_play<SteppedLearner>(m);
    m.def("start_values", &values_of_changes, py::arg("model"), py::arg("horizon"),
          py::arg("initial").noconvert(), py::arg("offsets").noconvert(),
          py::arg("places").noconvert(), py::arg("actions").noconvert(),
          py::doc("rho V_0 of policies given by their changes."));
    bind_linear_learning(m);
    bind_explorers(m);
}

// --- linear features ---------------------------------------------------------------------------

namespace {

void bind_linear_learner(py::module_& m) {
    py::class_<SteppedLinear, std::shared_ptr<SteppedLinear>>(
        m, "LinearLearner", "Optimistic least-squares value iteration.")
        .def(py::init<std::int64_t, const Doubles&, double, const Doubles&, const Doubles&,
                      double>(),
             py::arg("horizon"), py::arg("features").noconvert(), py::arg("ridge"),
             py::arg("radii").noconvert(), py::arg("caps").noconvert(), py::arg("log_switch"))
        .def("plan", &SteppedLinear::plan, py::doc("Plans if it is due; says whether it was."))
        .def("observe", &SteppedLinear::observe, py::arg("stage"), py::arg("state"),
             py::arg("action"), py::arg("reward"), py::arg("next_state"))
        .def("log_det_ratio", &SteppedLinear::log_det_ratio, py::arg("stage"))
        .def_property_readonly("policy", &SteppedLinear::policy)
        .def_property_readonly("value", &SteppedLinear::value)
        .def_property_readonly("q", &SteppedLinear::q)
        .def_property_readonly("norms2", &SteppedLinear::norms2,
                               py::doc("phi^T M^-1 phi of each pair, (H, S, A)."))
        .def_property_readonly("weights", &SteppedLinear::weights)
        .def_property_readonly(
            "random_rewards", [](const SteppedLinear&) { return true; },
            py::doc("Whether rewards may be random numbers."))
        .def_property_readonly("plans", &SteppedLinear::plans);
    def_play<SteppedLinear>(m);
}

void bind_linear_learning(py::module_& m) {
    bind_gram(m);
    bind_linear_learner(m);
    bind_soft_linear(m);
}

}  // namespace

}  // namespace rlt
