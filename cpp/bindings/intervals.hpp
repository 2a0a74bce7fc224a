// Exploration with intervals as Python sees it: arguments are checked here.
#pragma once

#include <algorithm>
#include <cmath>

#include "bindings/arrays.hpp"
#include "learning/explore.hpp"
#include "support/float_mode.hpp"

namespace rlt {

inline Array<std::int64_t> visits_of(const Counts& x) {
    Array<std::int64_t> out({x.H, x.S, x.A});
    for (std::int64_t h = 0; h < x.H; ++h)
        for (std::int64_t s = 0; s < x.S; ++s)
            for (std::int64_t a = 0; a < x.A; ++a)
                out.mutable_at(h, s, a) =
                    x.visits[static_cast<std::size_t>(h * x.stride + x.column(s, a))];
    return out;
}

inline Array<std::int64_t> transitions_of(const Counts& x) {
    Array<std::int64_t> out({x.H, x.S, x.A, x.S});
    for (std::int64_t h = 0; h < x.H; ++h)
        for (std::int64_t s = 0; s < x.S; ++s)
            for (std::int64_t a = 0; a < x.A; ++a)
                for (std::int64_t t = 0; t < x.S; ++t)
                    out.mutable_at(h, s, a, t) =
                        static_cast<std::int64_t>(x.successors(h)[t * x.stride + x.column(s, a)]);
    return out;
}

// A rule, where its run stands, and steps from outside; a run is either whole or stepped.
template <class Rule>
class Explorer {
public:
    Explorer(std::int64_t horizon, std::int64_t states, std::int64_t actions, KnownProblem known)
        : H(horizon), S(states), A(actions), rule(H, S, A, std::move(known)) {}

    void use(const Array<double>& bonus, const Array<double>& root_kappa) {
        if (bonus.size() < 2) throw std::invalid_argument("the widths have no counts");
        if (root_kappa.size() != 0) need_size(root_kappa, bonus.size(), "root_kappa");
        const auto copy = [](const Array<double>& x) {
            if (!std::all_of(x.data(), x.data() + x.size(), [](double y) { return y >= 0.0; }))
                throw std::invalid_argument("widths must be at least 0");
            return std::vector<double>(x.data(), x.data() + x.size());
        };
        rule.use(std::make_shared<Widths>(Widths{copy(bonus), copy(root_kappa)}));
    }

    void plan() {
        const StandardFloatMode mode;
        rule.plan();
    }

    std::int64_t act(std::int64_t h, std::int64_t s, double uniform, bool explores) const {
        need_place(h, s, 0);
        return rule.act(h, s, uniform, explores);
    }

    void observe(std::int64_t h, std::int64_t s, std::int64_t a, std::int64_t next) {
        need_place(h, s, a);
        if (next < -1 || next >= S)
            throw std::invalid_argument("there is no next state " + std::to_string(next));
        rule.observe(h, s, a, next);
    }

    // Plays until the certificate is at most epsilon, or until so many episodes; whether the
    // former.
    bool explore(const ModelHandle& model, const Array<double>& initial,
                 const Array<std::uint64_t>& keys, std::int64_t first_episode, double growth,
                 double epsilon, std::int64_t until) {
        const ModelView& m = model->view;
        if (m.n_states != S || m.n_actions > A || (m.n_stages > 1 && m.n_stages != H))
            throw std::invalid_argument("the model has other stages, states or actions");
        need_size(initial, S, "initial");
        need_size(keys, 8, "keys");
        if (!(growth >= 0.0) || !(growth <= 1e6) || first_episode < 0)
            throw std::invalid_argument(
                "growth must be in 0..1e6, and the first episode at least 0");
        if (rule.most_visits() < until)
            throw std::invalid_argument("the widths have fewer counts than there are episodes");
        const std::uint64_t* k = keys.data();
        const ExplorationWords words{
            {{k[0], k[1]}, {k[2], k[3]}, first_episode}, {k[4], k[5]}, {k[6], k[7]}};
        const double* rho = initial.data();
        const py::gil_scoped_release release;
        const StandardFloatMode mode;
        const World world(m, H, rho);
        need_rows_of(world);
        rlt::explore(world, rule, words, StoppingRule{growth, epsilon, until}, run,
                     python_monitor());
        return run.stopped;
    }

    Array<double> policy() const {
        Array<double> out({H, S, A});
        std::copy_n(rule.policy(0, 0), H * S * A, out.mutable_data());
        return out;
    }

    template <class F>
    Array<double> values(F&& of_stage) const {
        Array<double> out({H + 1, S});
        for (std::int64_t h = 0; h <= H; ++h)
            std::copy_n(of_stage(h), S, out.mutable_data() + h * S);
        return out;
    }

    template <class F>
    Array<double> q(F&& of_stage) const {
        Array<double> out({H, S, A});
        for (std::int64_t h = 0; h < H; ++h)
            for (std::int64_t s = 0; s < S; ++s)
                for (std::int64_t a = 0; a < A; ++a)
                    out.mutable_at(h, s, a) = of_stage(h)[rule.counts().column(s, a)];
        return out;
    }

    // Rows (episodes, gap, lower, upper).
    Array<double> history() const {
        const auto n = static_cast<std::int64_t>(run.history.size());
        Array<double> out({n, std::int64_t{4}});
        for (std::int64_t i = 0; i < n; ++i) {
            const Checkpoint& x = run.history[static_cast<std::size_t>(i)];
            double* row = out.mutable_data() + 4 * i;
            row[0] = static_cast<double>(x.episodes);
            row[1] = x.gap;
            row[2] = x.lower;
            row[3] = x.upper;
        }
        return out;
    }

    std::int64_t H, S, A;
    Rule rule;
    Exploration run;

private:
    void need_place(std::int64_t h, std::int64_t s, std::int64_t a) const {
        if (h < 0 || h >= H || s < 0 || s >= S || a < 0 || a >= A)
            throw std::invalid_argument("there is no stage " + std::to_string(h) + ", state " +
                                        std::to_string(s) + ", action " + std::to_string(a));
    }

    void need_rows_of(const World& world) const {
        for (std::int64_t h = 0; h < H; ++h)
            for (std::int64_t s = 0; s < S; ++s)
                for (std::int64_t a = 0; a < A; ++a)
                    if (rule.known().weight[static_cast<std::size_t>((h * S + s) * A + a)] > 0.0 &&
                        (a >= world.model.n_actions || world.table.row(h, s, a) < 0))
                        throw std::invalid_argument("state " + std::to_string(s) + " at stage " +
                                                    std::to_string(h) + " does not have action " +
                                                    std::to_string(a) +
                                                    ", which has a reference probability above 0");
    }
};

using SoftExplorer = Explorer<SoftIntervals>;
using GreedyExplorer = Explorer<GreedyIntervals>;

// Arrays (H, S, A) and (H,) as the rules read them.
inline KnownProblem known_problem(const Array<double>& reward, const Array<double>& weight,
                                  const Array<double>& log_weight, const Array<double>& scale,
                                  double temperature) {
    if (reward.ndim() != 3 || reward.size() == 0 || reward.shape(2) > 65536)
        throw std::invalid_argument("rewards must have shape (stages, states, actions)");
    const py::ssize_t H = reward.shape(0), S = reward.shape(1), A = reward.shape(2);
    if (static_cast<double>(H) * static_cast<double>(S) * static_cast<double>(S) *
            static_cast<double>(A) >
        0x1.0p40)
        throw std::invalid_argument("counts of every stage, pair and successor do not fit memory");
    need_size(weight, reward.size(), "weight");
    need_size(log_weight, reward.size(), "log_weight");
    need_size(scale, H, "scale");
    if (!(temperature > 0.0) || !std::isfinite(temperature))
        throw std::invalid_argument("temperature must be above 0 and finite");
    const auto copy = [](const Array<double>& x) {
        return std::vector<double>(x.data(), x.data() + x.size());
    };
    KnownProblem known{copy(reward), copy(weight), copy(log_weight), copy(scale), {}, temperature};
    for (const double x : known.reward)
        if (!(x >= 0.0 && x <= 1.0)) throw std::invalid_argument("rewards must be in [0, 1]");
    for (std::size_t i = 0; i < known.weight.size(); i += static_cast<std::size_t>(A)) {
        double sum = 0.0;
        for (std::size_t j = i; j < i + static_cast<std::size_t>(A); ++j) {
            if (!(known.weight[j] >= 0.0) ||
                (known.weight[j] > 0.0) != (known.log_weight[j] > -1e9))
                throw std::invalid_argument("weights and their logarithms do not fit");
            sum += known.weight[j];
        }
        if (!(std::abs(sum - 1.0) <= 1e-6)) throw std::invalid_argument("weights must sum to 1");
    }
    for (py::ssize_t h = 0; h < H; ++h) {
        if (!(known.scale[static_cast<std::size_t>(h)] >= 0.0))
            throw std::invalid_argument("scale must be at least 0");
        known.most.push_back(static_cast<double>(H - 1 - h));
    }
    return known;
}

template <class Rule>
void def_explorer(py::class_<Explorer<Rule>>& c) {
    using X = Explorer<Rule>;
    c.def("use", &X::use, py::arg("bonus").noconvert(), py::arg("root_kappa").noconvert(),
          py::doc("Tables over counts n = 0, 1, ..: b over its scale, and the root of kappa."))
        .def("plan", &X::plan)
        .def("act", &X::act, py::arg("stage"), py::arg("state"), py::arg("uniform"),
             py::arg("explores"))
        .def("observe", &X::observe, py::arg("stage"), py::arg("state"), py::arg("action"),
             py::arg("next_state"))
        .def("explore", &X::explore, py::arg("model"), py::arg("initial").noconvert(),
             py::arg("keys").noconvert(), py::arg("first_episode"), py::arg("growth"),
             py::arg("epsilon"), py::arg("until"),
             py::doc(
                 "Plays until the certificate is at most epsilon; False where episodes ran out."))
        .def_property_readonly("policy", &X::policy)
        .def_property_readonly(
            "upper",
            [](const X& x) { return x.values([&](std::int64_t h) { return x.rule.upper(h); }); })
        .def_property_readonly(
            "gap",
            [](const X& x) { return x.values([&](std::int64_t h) { return x.rule.gap(h); }); })
        .def_property_readonly(
            "q_upper",
            [](const X& x) { return x.q([&](std::int64_t h) { return x.rule.q_upper(h); }); })
        .def_property_readonly("visits", [](const X& x) { return visits_of(x.rule.counts()); })
        .def_property_readonly("transitions",
                               [](const X& x) { return transitions_of(x.rule.counts()); })
        .def_property_readonly("history", &X::history)
        .def_property_readonly("episodes", [](const X& x) { return x.run.episodes; })
        .def_property_readonly("steps", [](const X& x) { return x.run.steps; })
        .def_property_readonly("plans", [](const X& x) { return x.rule.plans(); });
}

inline void bind_explorers(py::module_& m) {
    py::class_<SoftExplorer> soft(m, "SoftExplorer",
                                  "Certified exploration for the regularised problem.");
    soft.def(py::init([](const Array<double>& reward, const Array<double>& weight,
                         const Array<double>& log_weight, const Array<double>& scale,
                         double temperature) {
                 KnownProblem known = known_problem(reward, weight, log_weight, scale, temperature);
                 return std::make_unique<SoftExplorer>(reward.shape(0), reward.shape(1),
                                                       reward.shape(2), std::move(known));
             }),
             py::arg("reward").noconvert(), py::arg("weight").noconvert(),
             py::arg("log_weight").noconvert(), py::arg("scale").noconvert(),
             py::arg("temperature"));
    def_explorer(soft);
    soft.def_property_readonly("lower",
                               [](const SoftExplorer& x) {
                                   return x.values([&](std::int64_t h) { return x.rule.lower(h); });
                               })
        .def_property_readonly("q_lower",
                               [](const SoftExplorer& x) {
                                   return x.q([&](std::int64_t h) { return x.rule.q_lower(h); });
                               })
        .def_property_readonly("widest", [](const SoftExplorer& x) {
            Array<std::int64_t> out({x.H, x.S});
            for (std::int64_t h = 0; h < x.H; ++h)
                for (std::int64_t s = 0; s < x.S; ++s) out.mutable_at(h, s) = x.rule.widest(h, s);
            return out;
        });

    py::class_<GreedyExplorer> greedy(m, "GreedyExplorer",
                                      "Certified exploration for the problem without regulariser.");
    greedy.def(py::init([](const Array<double>& reward, const Array<double>& weight,
                           const Array<double>& log_weight, const Array<double>& scale) {
                   KnownProblem known = known_problem(reward, weight, log_weight, scale, 1.0);
                   return std::make_unique<GreedyExplorer>(reward.shape(0), reward.shape(1),
                                                           reward.shape(2), std::move(known));
               }),
               py::arg("reward").noconvert(), py::arg("weight").noconvert(),
               py::arg("log_weight").noconvert(), py::arg("scale").noconvert());
    def_explorer(greedy);
}

}  // namespace rlt
