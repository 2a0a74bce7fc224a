#include "bindings/arrays.hpp"
#include "bindings/module.hpp"
#include "learning/linear_loop.hpp"

namespace rlt {

namespace {

void bind_linear_learning(py::module_& m);

}  // namespace

void bind_learning(py::module_& m) { bind_linear_learning(m); }

// --- linear features ---------------------------------------------------------------------------

namespace {

std::vector<double> copy_of(const Array<double>& array) {
    return {array.data(), array.data() + array.size()};
}

template <class T>
py::array_t<T> array_of(const std::vector<T>& numbers) {
    return py::array_t<T>(static_cast<py::ssize_t>(numbers.size()), numbers.data());
}

void need_positive(const char* name, std::int64_t value) {
    if (value < 1)
        throw std::invalid_argument(std::string(name) + " is " + std::to_string(value) +
                                    "; it must be at least 1");
}

void need_index(const char* name, std::int64_t index, std::int64_t least, std::int64_t end) {
    if (index < least || index >= end)
        throw std::invalid_argument(std::string(name) + " " + std::to_string(index) +
                                    " is not in " + std::to_string(least) + ".." +
                                    std::to_string(end - 1));
}

void need_finite(const char* name, const Array<double>& array) {
    for (py::ssize_t i = 0; i < array.size(); ++i)
        if (!std::isfinite(array.data()[i]))
            throw std::invalid_argument(std::string(name) + " holds a number that is not finite");
}

void need_ridge(double ridge) {
    if (!(ridge > 0.0) || !std::isfinite(ridge))
        throw std::invalid_argument("ridge is " + std::to_string(ridge) +
                                    "; it must be above 0 and finite");
}

void bind_gram(py::module_& m) {
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

void bind_linear_learner(py::module_& m) {
    py::class_<LinearLearner>(m, "LinearLearner", "Optimistic least-squares value iteration.")
        .def(py::init([](std::int64_t stages, const Array<double>& features, double ridge,
                         const Array<double>& radii, const Array<double>& caps, double log_switch) {
                 if (features.ndim() != 3)
                     throw std::invalid_argument("features must have shape (S, A, d)");
                 const LinearSizes n{stages, features.shape(0), features.shape(1),
                                     features.shape(2)};
                 need_positive("stages", stages);
                 for (int axis = 0; axis < 3; ++axis)
                     need_positive("an axis of features", features.shape(axis));
                 need_ridge(ridge);
                 need_size(radii, stages, "radii");
                 need_size(caps, stages, "caps");
                 need_finite("features", features);
                 need_finite("radii", radii);
                 need_finite("caps", caps);
                 if (std::isnan(log_switch))
                     throw std::invalid_argument("log_switch is not a number");
                 return LinearLearner(n, copy_of(features), ridge, copy_of(radii), copy_of(caps),
                                      log_switch);
             }),
             py::arg("stages"), py::arg("features").noconvert(), py::arg("ridge"),
             py::arg("radii").noconvert(), py::arg("caps").noconvert(), py::arg("log_switch"))
        .def("plan", &LinearLearner::plan, "Plans if it is due; says whether it was.")
        .def(
            "act",
            [](const LinearLearner& learner, std::int64_t stage, std::int64_t state) {
                need_index("stage", stage, 0, learner.sizes().stages);
                need_index("state", state, 0, learner.sizes().states);
                return learner.act(stage, state);
            },
            py::arg("stage"), py::arg("state"))
        .def(
            "observe",
            [](LinearLearner& learner, std::int64_t stage, std::int64_t state, std::int64_t action,
               double reward, std::int64_t next_state) {
                const LinearSizes& n = learner.sizes();
                need_index("stage", stage, 0, n.stages);
                need_index("state", state, 0, n.states);
                need_index("action", action, 0, n.actions);
                need_index("next_state", next_state, -1, n.states);
                if (!std::isfinite(reward)) throw std::invalid_argument("the reward is not finite");
                learner.observe(stage, state, action, reward, next_state);
            },
            py::arg("stage"), py::arg("state"), py::arg("action"), py::arg("reward"),
            py::arg("next_state"))
        .def_property_readonly("plans", &LinearLearner::plans, "How often it planned.")
        .def_property_readonly(
            "policy", [](const LinearLearner& learner) { return array_of(learner.policy()); },
            "(H * S,), of the last plan.")
        .def_property_readonly(
            "weights", [](const LinearLearner& learner) { return array_of(learner.weights()); },
            "(H * d,), of the last plan.")
        .def_property_readonly(
            "q", [](const LinearLearner& learner) { return array_of(learner.q()); },
            "(H * S * A,), of the last plan.")
        .def_property_readonly(
            "norms2", [](const LinearLearner& learner) { return array_of(learner.norms2()); },
            "phi^T M^-1 phi, (H * S * A,).")
        .def(
            "log_det_ratio",
            [](const LinearLearner& learner, std::int64_t stage) {
                need_index("stage", stage, 0, learner.sizes().stages);
                return learner.gram(stage).log_det_ratio();
            },
            py::arg("stage"));
}

void bind_linear_learning(py::module_& m) {
    bind_gram(m);
    bind_linear_learner(m);
}

}  // namespace

}  // namespace rlt
