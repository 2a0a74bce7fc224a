#include "solvers/average.hpp"

#include "bindings/arrays.hpp"
#include "bindings/module.hpp"
#include "graph/closed_classes.hpp"

namespace rlt {

namespace {

using Doubles = Array<double>;
using Rows = Array<std::int64_t>;

void need_recurrent(const ModelView& m) {
    if (m.has_exits || m.n_stages > 1)
        throw std::invalid_argument("the average criterion is for stationary models without exits");
}

void need_policy(const ModelView& m, const Rows& rows) {
    need_recurrent(m);
    need_size(rows, m.n_states, "rows");
    need_rows(m, 0, rows.data());
}

Tuple<std::int64_t, Rows, Rows> classes_of(const Model& model, const Rows& rows) {
    const ModelView& m = model.view;
    need_policy(m, rows);
    Rows class_of(m.n_states), reaches(m.n_states);
    std::int64_t count;
    {
        const std::int64_t* r = rows.data();
        std::int64_t* c = class_of.mutable_data();
        std::int64_t* to = reaches.mutable_data();
        const py::gil_scoped_release release;
        count = closed_classes(m, r, c, to);
    }
    return py::make_tuple(count, class_of, reaches);
}

Tuple<Doubles, std::int64_t, bool, double, double> relative_iteration(const Model& model,
                                                                      double stay, double tol,
                                                                      double rtol,
                                                                      std::int64_t most,
                                                                      const Doubles& start) {
    const ModelView& m = model.view;
    need_recurrent(m);
    need_size(start, m.n_states, "start");
    if (!(stay >= 0.0 && stay < 1.0)) throw std::invalid_argument("stay must be in [0, 1)");
    Doubles value(m.n_states);
    std::copy_n(start.data(), m.n_states, value.mutable_data());
    RelativeIterations it;
    {
        double* v = value.mutable_data();
        const py::gil_scoped_release release;
        it = relative_value_iteration(m, stay, Target{tol, rtol}, most, v, python_monitor());
    }
    return py::make_tuple(value, it.sweeps, it.converged, it.low, it.high);
}

Tuple<Rows, std::int64_t> improved_rows(const Model& model, const Doubles& gain,
                                        const Doubles& bias, const Rows& rows) {
    const ModelView& m = model.view;
    need_policy(m, rows);
    need_size(gain, m.n_states, "gain");
    need_size(bias, m.n_states, "bias");
    Rows improved(m.n_states);
    std::int64_t switched;
    {
        const double* g = gain.data();
        const double* h = bias.data();
        const std::int64_t* r = rows.data();
        std::int64_t* out = improved.mutable_data();
        const py::gil_scoped_release release;
        switched = improve_gain_bias(m, g, h, r, out);
    }
    return py::make_tuple(improved, switched);
}

Tuple<Rows, std::int64_t, Doubles> improved_in_order(const Model& model, double gain,
                                                     const Doubles& bias, const Rows& rows,
                                                     std::int64_t sweeps) {
    const ModelView& m = model.view;
    need_policy(m, rows);
    need_size(bias, m.n_states, "bias");
    Rows improved(m.n_states);
    Doubles raised(m.n_states);
    std::copy_n(rows.data(), m.n_states, improved.mutable_data());
    std::copy_n(bias.data(), m.n_states, raised.mutable_data());
    std::int64_t switched;
    {
        std::int64_t* r = improved.mutable_data();
        double* h = raised.mutable_data();
        const py::gil_scoped_release release;
        switched = improve_in_order(m, gain, sweeps, h, r, python_monitor());
    }
    return py::make_tuple(improved, switched, raised);
}

Tuple<double, double, bool, Doubles, Rows> residuals_of(
    const Model& model, const Doubles& gain_head, const Doubles& gain_tail,
    const Doubles& bias_head, const Doubles& bias_tail, const Rows& rows) {
    const ModelView& m = model.view;
    need_policy(m, rows);
    for (const Doubles* x : {&gain_head, &gain_tail, &bias_head, &bias_tail})
        need_size(*x, m.n_states, "a witness");
    Doubles residual(m.n_states);
    Rows better(m.n_states);
    ResidualBounds bounds;
    {
        const WitnessView gain{gain_head.data(), gain_tail.data()};
        const WitnessView bias{bias_head.data(), bias_tail.data()};
        const std::int64_t* r = rows.data();
        double* res = residual.mutable_data();
        std::int64_t* bet = better.mutable_data();
        const py::gil_scoped_release release;
        bounds = gain_bias_residuals(m, gain, bias, r, res, bet);
    }
    return py::make_tuple(bounds.low, bounds.high, bounds.finite, residual, better);
}

Tuple<double, double, Doubles> drift_of(const Model& model, const Doubles& head,
                                        const Doubles& tail, const Rows& rows) {
    const ModelView& m = model.view;
    need_policy(m, rows);
    need_size(head, m.n_states, "head");
    need_size(tail, m.n_states, "tail");
    Doubles drift(m.n_states);
    GainDrift need;
    {
        const WitnessView gain{head.data(), tail.data()};
        const std::int64_t* r = rows.data();
        double* d = drift.mutable_data();
        const py::gil_scoped_release release;
        need = gain_drift(m, gain, r, d);
    }
    return py::make_tuple(need.lower, need.upper, drift);
}

Tuple<Doubles, Doubles> curved(const Doubles& head, const Doubles& tail, double centre_head,
                               double centre_tail, double curvature) {
    need_size(tail, head.size(), "tail");
    Doubles h(head.size()), t(head.size());
    curve_gain(head.size(), {head.data(), tail.data()}, centre_head, centre_tail, curvature,
               h.mutable_data(), t.mutable_data());
    return py::make_tuple(h, t);
}

}  // namespace

void bind_average(py::module_& m) {
    m.def("closed_classes", &classes_of, py::arg("model"), py::arg("rows").noconvert(),
          "(number of closed classes, the class of each state or -1, the only class it reaches "
          "or -1).");
    m.def("relative_value_iteration", &relative_iteration, py::arg("model"), py::arg("stay"),
          py::arg("tol"), py::arg("rtol"), py::arg("most"), py::arg("start").noconvert(),
          "(value, sweeps, converged, least and largest entry of T v - v).");
    m.def("improve_gain_bias", &improved_rows, py::arg("model"), py::arg("gain").noconvert(),
          py::arg("bias").noconvert(), py::arg("rows").noconvert(), "(rows, number switched).");
    m.def("improve_in_order", &improved_in_order, py::arg("model"), py::arg("gain"),
          py::arg("bias").noconvert(), py::arg("rows").noconvert(), py::arg("sweeps"),
          "(rows, number of switches, raised bias), where all states have one gain.");
    m.def("gain_bias_residuals", &residuals_of, py::arg("model"), py::arg("gain_head").noconvert(),
          py::arg("gain_tail").noconvert(), py::arg("bias_head").noconvert(),
          py::arg("bias_tail").noconvert(), py::arg("rows").noconvert(),
          "(low, high, finite, residual, better rows), in double-double, scaled by row sums.");
    m.def("gain_drift", &drift_of, py::arg("model"), py::arg("head").noconvert(),
          py::arg("tail").noconvert(), py::arg("rows").noconvert(),
          "(curvature needed below, above, drift of the policy's rows).");
    m.def("curve_gain", &curved, py::arg("head").noconvert(), py::arg("tail").noconvert(),
          py::arg("centre_head"), py::arg("centre_tail"), py::arg("curvature"), "(head, tail).");
}

}  // namespace rlt
