// Regression and the linear learner as Python sees them: arguments are checked here.
#pragma once

#include <cmath>

#include "bindings/arrays.hpp"
#include "learning/linear_loop.hpp"
#include "learning/soft_linear.hpp"
#include "support/float_mode.hpp"

namespace rlt {

inline std::vector<double> vector_of(const Array<double>& array) {
    return {array.data(), array.data() + array.size()};
}

inline void need_positive(const char* name, std::int64_t value) {
    if (value < 1)
        throw std::invalid_argument(std::string(name) + " is " + std::to_string(value) +
                                    "; it must be at least 1");
}

inline void need_index(const char* name, std::int64_t index, std::int64_t least, std::int64_t end) {
    if (index < least || index >= end)
        throw std::invalid_argument(std::string(name) + " " + std::to_string(index) +
                                    " is not in " + std::to_string(least) + ".." +
                                    std::to_string(end - 1));
}

inline void need_finite(const char* name, const Array<double>& array) {
    for (py::ssize_t i = 0; i < array.size(); ++i)
        if (!std::isfinite(array.data()[i]))
            throw std::invalid_argument(std::string(name) + " holds a number that is not finite");
}

inline void need_ridge(double ridge) {
    if (!(ridge > 0.0) || !std::isfinite(ridge))
        throw std::invalid_argument("ridge is " + std::to_string(ridge) +
                                    "; it must be above 0 and finite");
}

inline void bind_gram(py::module_& m) {
    py::class_<Gram>(m, "Gram", "ridge I + sum w x x^T, factored and updated.")
        .def(py::init([](std::int64_t dimension, double ridge) {
                 need_positive("dimension", dimension);
                 need_ridge(ridge);
                 return Gram(dimension, ridge);
             }),
             py::arg("dimension"), py::arg("ridge"))
        .def(
            "update",
            [](Gram& gram, const Array<double>& x, double weight) {
                const std::int64_t d = gram.dimension();
                need_size(x, d, "x");
                need_finite("x", x);
                if (!(weight >= 0.0) || !std::isfinite(weight))
                    throw std::invalid_argument("weight must be at least 0 and finite");
                std::vector<double> solved(static_cast<std::size_t>(d));
                return gram.update(x.data(), weight, solved.data());
            },
            py::arg("x").noconvert(), py::arg("weight") = 1.0,
            py::doc("Adds weight x x^T; returns weight x^T M^-1 x with M as it was."))
        .def(
            "solve",
            [](const Gram& gram, const Array<double>& b) {
                need_size(b, gram.dimension(), "b");
                Array<double> out(gram.dimension());
                std::copy_n(b.data(), b.size(), out.mutable_data());
                gram.solve(out.mutable_data());
                return out;
            },
            py::arg("b").noconvert(), py::doc("M^-1 b."))
        .def(
            "norms2",
            [](const Gram& gram, const Array<double>& x) {
                const std::int64_t d = gram.dimension();
                if (x.ndim() != 2 || x.shape(1) != d)
                    throw std::invalid_argument("x must have shape (n, " + std::to_string(d) + ")");
                Array<double> out(x.shape(0));
                std::vector<double> row(static_cast<std::size_t>(d));
                for (py::ssize_t i = 0; i < x.shape(0); ++i) {
                    std::copy_n(x.data() + i * d, d, row.data());
                    out.mutable_data()[i] = gram.norm2(row.data());
                }
                return out;
            },
            py::arg("x").noconvert(), py::doc("x^T M^-1 x of each row."))
        .def(
            "matrix",
            [](const Gram& gram) {
                const std::int64_t d = gram.dimension();
                Array<double> out({d, d});
                for (std::int64_t i = 0; i < d; ++i)
                    for (std::int64_t j = i; j < d; ++j)
                        out.mutable_at(i, j) = out.mutable_at(j, i) = gram.entry(i, j);
                return out;
            },
            py::doc("M, shape (d, d)."))
        .def_property_readonly("dimension", &Gram::dimension)
        .def_property_readonly("updates", &Gram::updates)
        .def_property_readonly("refactored", &Gram::refactored,
                               py::doc("How often M was factored anew."))
        .def_property_readonly("log_det_ratio", &Gram::log_det_ratio,
                               py::doc("log det M - dimension log ridge."));
}

inline std::int64_t axis(const Array<double>& features, int k) {
    if (features.ndim() != 3) throw std::invalid_argument("features must have shape (S, A, d)");
    return features.shape(k);
}

inline void need_linear_sizes(const LinearSizes& n, const Array<double>& features, double ridge) {
    need_positive("horizon", n.stages);
    need_positive("states", n.states);
    need_positive("actions", n.actions);
    if (n.actions > 65536) throw std::invalid_argument("actions must be at most 65536");
    need_positive("the dimension of features", n.dimension);
    need_ridge(ridge);
    need_finite("features", features);
}

inline Array<double> shaped(const double* numbers, std::vector<py::ssize_t> shape) {
    Array<double> out(std::move(shape));
    std::copy_n(numbers, out.size(), out.mutable_data());
    return out;
}

// A linear learner that is stepped from outside, or plays whole runs.
class SteppedLinear {
public:
    SteppedLinear(std::int64_t horizon, const Array<double>& features, double ridge,
                  const Array<double>& radii, const Array<double>& caps, double log_switch)
        : H(horizon),
          S(axis(features, 0)),
          A(axis(features, 1)),
          d(axis(features, 2)),
          learner((check(ridge, radii, caps, log_switch, features), LinearSizes{H, S, A, d}),
                  vector_of(features), ridge, vector_of(radii), vector_of(caps), log_switch) {}

    bool plan() {
        const StandardFloatMode mode;
        return learner.plan();
    }

    void observe(std::int64_t stage, std::int64_t state, std::int64_t action, double reward,
                 std::int64_t next) {
        need_index("stage", stage, 0, H);
        need_index("state", state, 0, S);
        need_index("action", action, 0, A);
        need_index("next_state", next, -1, S);
        if (!std::isfinite(reward)) throw std::invalid_argument("the reward is not finite");
        const StandardFloatMode mode;
        learner.observe(stage, state, action, reward, next);
    }

    std::int64_t play(const World& world, const Words& words, std::int64_t episodes,
                      PlayedPolicies& played, double* returns, const Trace& trace,
                      const Monitor& monitor) {
        const StandardFloatMode mode;
        return play_linear(world, learner, words, episodes, played, returns, trace, monitor);
    }

    Array<std::uint16_t> policy() const {
        Array<std::uint16_t> out({H, S});
        std::copy_n(learner.policy(), H * S, out.mutable_data());
        return out;
    }
    Array<double> value() const { return shaped(learner.value(0), {H + 1, S}); }
    Array<double> q() const { return shaped(learner.q().data(), {H, S, A}); }
    Array<double> norms2() const { return shaped(learner.norms2().data(), {H, S, A}); }
    Array<double> weights() const { return shaped(learner.weights().data(), {H, d}); }
    std::int64_t plans() const { return learner.plans(); }
    double log_det_ratio(std::int64_t stage) const {
        need_index("stage", stage, 0, H);
        return learner.gram(stage).log_det_ratio();
    }

    std::int64_t H, S, A, d;
    LinearLearner learner;

private:
    void check(double ridge, const Array<double>& radii, const Array<double>& caps,
               double log_switch, const Array<double>& features) const {
        need_linear_sizes({H, S, A, d}, features, ridge);
        need_size(radii, H, "radii");
        need_size(caps, H, "caps");
        need_finite("radii", radii);
        need_finite("caps", caps);
        if (std::isnan(log_switch)) throw std::invalid_argument("log_switch is not a number");
    }
};

// Arrays as the soft linear learner reads them.
inline SoftLinearLearner soft_linear_learner(
    const Array<double>& features, const Array<double>& reward, const Array<double>& weight,
    const Array<double>& log_weight, const Array<double>& radii, double ridge, double temperature) {
    const LinearSizes n{radii.size(), axis(features, 0), axis(features, 1), axis(features, 2)};
    need_linear_sizes(n, features, ridge);
    const std::int64_t pairs = n.stages * n.states * n.actions;
    need_size(reward, pairs, "reward");
    need_size(weight, pairs, "weight");
    need_size(log_weight, pairs, "log_weight");
    for (py::ssize_t i = 0; i < pairs; ++i) {
        if (!(reward.data()[i] >= 0.0 && reward.data()[i] <= 1.0))
            throw std::invalid_argument("rewards must be in [0, 1]");
        if (!(weight.data()[i] >= 0.0 && weight.data()[i] <= 1.0) ||
            (weight.data()[i] > 0.0) != (log_weight.data()[i] > -1e9))
            throw std::invalid_argument("weights and their logarithms do not fit");
    }
    for (py::ssize_t i = 0; i < pairs; i += n.actions)
        if (!std::any_of(weight.data() + i, weight.data() + i + n.actions,
                         [](double x) { return x > 0.0; }))
            throw std::invalid_argument("the reference forbids every action of a state");
    for (py::ssize_t h = 0; h < radii.size(); ++h)
        if (!(radii.data()[h] >= 0.0 && std::isfinite(radii.data()[h])))
            throw std::invalid_argument("radii must be at least 0 and finite");
    if (!(temperature > 0.0) || !std::isfinite(temperature))
        throw std::invalid_argument("temperature must be above 0 and finite");
    return SoftLinearLearner(n, vector_of(features), ridge,
                             {vector_of(reward), vector_of(weight), vector_of(log_weight),
                              vector_of(radii), temperature});
}

// A model with its tables for drawing, made once for many calls.
class HeldWorld {
public:
    HeldWorld(ModelHandle model, const Array<double>& initial, std::int64_t horizon)
        : model_(std::move(model)),
          initial_((check(*model_, initial, horizon), vector_of(initial))),
          world_(model_->view, horizon, initial_.data()) {}
    HeldWorld(const HeldWorld&) = delete;
    HeldWorld& operator=(const HeldWorld&) = delete;

    const World& world() const { return world_; }

private:
    static void check(const Model& model, const Array<double>& initial, std::int64_t horizon) {
        need_positive("horizon", horizon);
        need_size(initial, model.view.n_states, "initial");
        if (model.view.n_stages > 1 && model.view.n_stages != horizon)
            throw std::invalid_argument("the model has other stages");
    }

    ModelHandle model_;
    std::vector<double> initial_;
    World world_;  // of the two above
};

// Calls play(world, words, monitor) on a model that has every action the learner may take.
template <class F>
auto in_world(const SoftLinearLearner& learner, const HeldWorld& held,
              const Array<std::uint64_t>& keys, std::int64_t first_episode, std::int64_t first,
              std::int64_t episodes, F&& play) {
    const LinearSizes& n = learner.sizes();
    const World& world = held.world();
    if (world.model.n_states != n.states || world.model.n_actions != n.actions ||
        world.horizon != n.stages)
        throw std::invalid_argument("the model has other stages, states or actions");
    need_size(keys, 8, "keys");
    if (first_episode < 0 || first < 0 || episodes < 0 || learner.plans() == 0)
        throw std::invalid_argument("numbers of episodes must be at least 0, and a plan made");
    const std::uint64_t* k = keys.data();
    const ExplorationWords words{
        {{k[0], k[1]}, {k[2], k[3]}, first_episode}, {k[4], k[5]}, {k[6], k[7]}};
    for (std::int64_t h = 0; h < n.stages; ++h)
        for (std::int64_t s = 0; s < n.states; ++s)
            for (std::int64_t a = 0; a < n.actions; ++a)
                if (learner.allowed(h, s, a) && world.table.row(h, s, a) < 0)
                    throw std::invalid_argument("state " + std::to_string(s) +
                                                " does not have action " + std::to_string(a) +
                                                ", which has a reference probability above 0");
    const py::gil_scoped_release release;
    const StandardFloatMode mode;
    return play(world, words, python_monitor());
}

inline void bind_soft_linear(py::module_& m) {
    using X = SoftLinearLearner;
    const auto of_side = [](X::Side X::* side, std::vector<double> X::Side::* part, int axes) {
        return [=](const X& x) {
            const LinearSizes& n = x.sizes();
            std::vector<py::ssize_t> shape{n.stages, n.dimension};
            if (axes == 3) shape = {n.stages, n.states, n.actions};
            if (axes == 0) shape = {n.stages + 1, n.states};
            return shaped((x.*side.*part).data(), std::move(shape));
        };
    };
    py::class_<HeldWorld>(m, "World", "Where episodes happen: a model with a horizon.")
        .def(py::init<ModelHandle, const Array<double>&, std::int64_t>(), py::arg("model"),
             py::arg("initial").noconvert(), py::arg("horizon"));
    py::class_<X>(m, "SoftLinearLearner", "Certified exploration of a linear model, regularised.")
        .def(py::init(&soft_linear_learner), py::arg("features").noconvert(),
             py::arg("reward").noconvert(), py::arg("weight").noconvert(),
             py::arg("log_weight").noconvert(), py::arg("radii").noconvert(), py::arg("ridge"),
             py::arg("temperature"))
        .def("plan",
             [](X& x) {
                 const py::gil_scoped_release release;
                 const StandardFloatMode mode;
                 x.plan();
             })
        .def(
            "observe",
            [](X& x, std::int64_t stage, std::int64_t state, std::int64_t action,
               std::int64_t next) {
                need_index("stage", stage, 0, x.sizes().stages);
                need_index("state", state, 0, x.sizes().states);
                need_index("action", action, 0, x.sizes().actions);
                need_index("next_state", next, -1, x.sizes().states);
                const StandardFloatMode mode;
                x.observe(stage, state, action, next);
            },
            py::arg("stage"), py::arg("state"), py::arg("action"), py::arg("next_state"))
        .def(
            "act",
            [](const X& x, std::int64_t stage, std::int64_t state, double uniform, bool explores) {
                need_index("stage", stage, 0, x.sizes().stages);
                need_index("state", state, 0, x.sizes().states);
                return x.act(stage, state, uniform, explores);
            },
            py::arg("stage"), py::arg("state"), py::arg("uniform"), py::arg("explores"))
        .def(
            "explore",
            [](X& x, const HeldWorld& held, const Array<std::uint64_t>& keys,
               std::int64_t first_episode, std::int64_t first, std::int64_t episodes) {
                return in_world(
                    x, held, keys, first_episode, first, episodes,
                    [&](auto&&... given) { return explore_linear(given..., x, first, episodes); });
            },
            py::arg("world"), py::arg("keys").noconvert(), py::arg("first_episode"),
            py::arg("first"), py::arg("episodes"),
            py::doc("Plays episodes and learns from them; the number of steps. The world's words "
                    "are those from first_episode on, the learner's own those from first on."))
        .def(
            "roll_out",
            [](const X& x, const HeldWorld& held, const Array<std::uint64_t>& keys,
               std::int64_t first_episode, std::int64_t first, std::int64_t episodes) {
                const RollOut found = in_world(
                    x, held, keys, first_episode, first, episodes,
                    [&](auto&&... given) { return roll_out(given..., x, first, episodes); });
                return std::make_pair(found.total, found.steps);
            },
            py::arg("world"), py::arg("keys").noconvert(), py::arg("first_episode"),
            py::arg("first"), py::arg("episodes"),
            py::doc("Sum over episodes of the policy of what each stage may lose; the number of "
                    "steps."))
        .def_property_readonly("upper", of_side(&X::upper, &X::Side::value, 0))
        .def_property_readonly("lower", of_side(&X::lower, &X::Side::value, 0))
        .def_property_readonly("q_upper", of_side(&X::upper, &X::Side::q, 3))
        .def_property_readonly("q_lower", of_side(&X::lower, &X::Side::q, 3))
        .def_property_readonly("upper_weights", of_side(&X::upper, &X::Side::weights, 2))
        .def_property_readonly("lower_weights", of_side(&X::lower, &X::Side::weights, 2))
        .def_property_readonly("policy",
                               [](const X& x) {
                                   return shaped(
                                       x.policy().data(),
                                       {x.sizes().stages, x.sizes().states, x.sizes().actions});
                               })
        .def_property_readonly(
            "norms2",
            [](const X& x) {
                return shaped(x.sums().norms2().data(),
                              {x.sizes().stages, x.sizes().states, x.sizes().actions});
            },
            py::doc("phi^T M^-1 phi of each pair as of the last plan."))
        .def_property_readonly(
            "excess",
            [](const X& x) {
                return shaped(x.excess().data(), {x.sizes().stages, x.sizes().states});
            },
            py::doc("What each state may lose at most, (H, S)."))
        .def_property_readonly("widest",
                               [](const X& x) {
                                   Array<std::int64_t> out({x.sizes().stages, x.sizes().states});
                                   std::copy_n(x.widest().data(), out.size(), out.mutable_data());
                                   return out;
                               })
        .def_property_readonly("plans", &X::plans);
}

}  // namespace rlt
