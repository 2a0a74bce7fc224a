// Regression and the linear learner as Python sees them: arguments are checked here.
#pragma once

#include <cmath>

#include "bindings/arrays.hpp"
#include "learning/linear_loop.hpp"
#include "support/float_mode.hpp"

namespace rlt {

inline std::vector<double> copy_of(const Array<double>& array) {
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
            "Adds weight x x^T; returns weight x^T M^-1 x with M as it was.")
        .def(
            "solve",
            [](const Gram& gram, const Array<double>& b) {
                need_size(b, gram.dimension(), "b");
                Array<double> out(gram.dimension());
                std::copy_n(b.data(), b.size(), out.mutable_data());
                gram.solve(out.mutable_data());
                return out;
            },
            py::arg("b").noconvert(), "M^-1 b.")
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
            py::arg("x").noconvert(), "x^T M^-1 x of each row.")
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
            "M, shape (d, d).")
        .def_property_readonly("dimension", &Gram::dimension)
        .def_property_readonly("updates", &Gram::updates)
        .def_property_readonly("refactored", &Gram::refactored, "How often M was factored anew.")
        .def_property_readonly("log_det_ratio", &Gram::log_det_ratio,
                               "log det M - dimension log ridge.");
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
                  copy_of(features), ridge, copy_of(radii), copy_of(caps), log_switch) {}

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
    static std::int64_t axis(const Array<double>& features, int k) {
        if (features.ndim() != 3) throw std::invalid_argument("features must have shape (S, A, d)");
        return features.shape(k);
    }

    void check(double ridge, const Array<double>& radii, const Array<double>& caps,
               double log_switch, const Array<double>& features) const {
        need_positive("horizon", H);
        need_positive("states", S);
        need_positive("actions", A);
        if (A > 65536) throw std::invalid_argument("actions must be at most 65536");
        need_positive("the dimension of features", d);
        need_ridge(ridge);
        need_size(radii, H, "radii");
        need_size(caps, H, "caps");
        need_finite("features", features);
        need_finite("radii", radii);
        need_finite("caps", caps);
        if (std::isnan(log_switch)) throw std::invalid_argument("log_switch is not a number");
    }

    static Array<double> shaped(const double* numbers, std::vector<py::ssize_t> shape) {
        Array<double> out(std::move(shape));
        std::copy_n(numbers, out.size(), out.mutable_data());
        return out;
    }
};

}  // namespace rlt
