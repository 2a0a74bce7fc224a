#include "bindings/arrays.hpp"
#include "bindings/module.hpp"
#include "graph/closed_classes.hpp"
#include "solvers/average.hpp"
#include "solvers/largest_occupancy.hpp"
#include "solvers/regularized.hpp"
#include "solvers/robust.hpp"

namespace rlt {

namespace {

using AmbiguityHandle = std::shared_ptr<const Ambiguity>;

void need_one_stage(const ModelView& m) {
    if (m.n_stages > 1) throw std::invalid_argument("the stages of the model differ");
}

// --- regularised ------------------------------------------------------------------------

Regularizer regularizer(const ModelView& m, std::int64_t stage, double temperature,
                        const Doubles& weight, const Doubles& log_weight, const Doubles& bonus) {
    if (!(temperature > 0.0)) throw std::invalid_argument("the temperature must be above 0");
    need_size(weight, m.stage_rows(stage), "weight");
    need_size(log_weight, m.stage_rows(stage), "log_weight");
    need_size(bonus, m.n_states, "bonus");
    return {temperature, weight.data(), log_weight.data(), bonus.data()};
}

Doubles soft_backup(const Model& model, std::int64_t stage, double discount, double temperature,
                    const Doubles& weight, const Doubles& log_weight, const Doubles& bonus,
                    const Doubles& value) {
    const ModelView& m = model.view;
    stage = kernel_stage(m, stage);
    const Regularizer soft = regularizer(m, stage, temperature, weight, log_weight, bonus);
    need_size(value, m.n_states, "value");
    Doubles out(m.n_states);
    const double* v = value.data();
    double* o = out.mutable_data();
    const py::gil_scoped_release release;
    std::vector<double> q(static_cast<std::size_t>(m.stage_rows(stage)));
    soft_bellman(m, stage, discount, soft, v, o, q.data());
    return out;
}

Tuple<Doubles, std::int64_t, bool> soft_iteration(const Model& model, double discount,
                                                  double temperature, const Doubles& weight,
                                                  const Doubles& log_weight, const Doubles& bonus,
                                                  double tol, double rtol, const Doubles& start) {
    const ModelView& m = model.view;
    need_discount(discount);
    need_one_stage(m);
    const Regularizer soft = regularizer(m, 0, temperature, weight, log_weight, bonus);
    need_size(start, m.n_states, "start");
    Doubles value = copy_of(start);
    Iterations it;
    {
        double* v = value.mutable_data();
        const py::gil_scoped_release release;
        it = soft_value_iteration(m, discount, soft, Target{tol, rtol}, v, python_monitor());
    }
    return py::make_tuple(value, it.sweeps, it.converged);
}

Tuple<double, double, bool, Doubles, Doubles, Doubles> soft_residual_bounds(
    const Model& model, std::int64_t stage, double discount, double temperature,
    const Doubles& weight, const Doubles& log_weight, const Doubles& bonus,
    const Doubles& next_head, const Doubles& next_tail, const Doubles& own_head,
    const Doubles& own_tail, double data_error) {
    const ModelView& m = model.view;
    stage = kernel_stage(m, stage);
    const Regularizer soft = regularizer(m, stage, temperature, weight, log_weight, bonus);
    for (const Doubles* x : {&next_head, &next_tail, &own_head, &own_tail})
        need_size(*x, m.n_states, "a witness");
    Doubles residual(m.n_states), policy(m.stage_rows(stage)), log_policy(m.stage_rows(stage));
    ResidualBounds b;
    {
        double* res = residual.mutable_data();
        double* pol = policy.mutable_data();
        double* log = log_policy.mutable_data();
        const WitnessView next{next_head.data(), next_tail.data()};
        const WitnessView own{own_head.data(), own_tail.data()};
        const py::gil_scoped_release release;
        b = soft_residuals(m, stage, discount, soft, next, own, data_error, res, pol, log);
    }
    return py::make_tuple(b.low, b.high, b.finite, residual, policy, log_policy);
}

// --- robust -----------------------------------------------------------------------------

AmbiguityHandle l1_ambiguity(std::int64_t n_states, const Doubles& radius, bool support_only) {
    for (py::ssize_t i = 0; i < radius.size(); ++i)
        if (!(radius.data()[i] >= 0.0 && radius.data()[i] <= 2.0))
            throw std::invalid_argument("radius[" + std::to_string(i) + "] must be in [0, 2]");
    Ambiguity a;
    a.n_states = n_states;
    a.radius = buffer_of(radius);
    a.support_only = support_only;
    return std::make_shared<const Ambiguity>(std::move(a));
}

AmbiguityHandle interval_ambiguity(std::int64_t n_states, const Array<std::int64_t>& row_ptr,
                                   const Array<std::int32_t>& col, const Doubles& low,
                                   const Doubles& high) {
    if (row_ptr.size() == 0) throw std::invalid_argument("row_ptr is empty");
    const std::int64_t n_rows = row_ptr.size() - 1;
    const std::int64_t* ptr = row_ptr.data();
    if (ptr[0] != 0 || ptr[n_rows] != col.size() || !std::is_sorted(ptr, ptr + n_rows + 1))
        throw std::invalid_argument("row_ptr must ascend from 0 to the number of entries");
    need_size(low, col.size(), "low");
    need_size(high, col.size(), "high");
    for (std::int64_t r = 0; r < n_rows; ++r)
        for (std::int64_t k = ptr[r]; k < ptr[r + 1]; ++k) {
            const std::int32_t j = col.data()[k];
            const bool ascends = k == ptr[r] || col.data()[k - 1] < j;
            if (j < 0 || j > n_states || !ascends)
                throw std::invalid_argument("outcomes must ascend from 0 to the number of states");
            if (!(low.data()[k] >= 0.0 && low.data()[k] <= high.data()[k] && high.data()[k] < 2.0))
                throw std::invalid_argument("0 <= low <= high < 2 must hold");
        }
    Ambiguity a;
    a.kind = Ambiguity::Kind::intervals;
    a.n_states = n_states;
    a.row_ptr = buffer_of(row_ptr);
    a.col = buffer_of(col);
    a.low = buffer_of(low);
    a.high = buffer_of(high);
    return std::make_shared<const Ambiguity>(std::move(a));
}

void need_fitting(const ModelView& m, std::int64_t stage, const Ambiguity& a, double sign) {
    const std::int64_t rows = a.kind == Ambiguity::Kind::l1 ? a.radius.size : a.row_ptr.size - 1;
    if (a.n_states != m.n_states || rows != m.stage_rows(stage))
        throw std::invalid_argument("the ambiguity is that of other rows");
    if (sign != 1.0 && sign != -1.0) throw std::invalid_argument("sign must be 1 or -1");
}

Tuple<Doubles, Rows> robust_backups(const Model& model, std::int64_t stage, double discount,
                                    const Ambiguity& ambiguity, double sign, const Doubles& value) {
    const ModelView& m = model.view;
    stage = kernel_stage(m, stage);
    need_fitting(m, stage, ambiguity, sign);
    need_size(value, m.n_states, "value");
    Doubles out(m.n_states);
    Rows best(m.n_states);
    {
        const double* v = value.data();
        double* o = out.mutable_data();
        std::int64_t* b = best.mutable_data();
        const py::gil_scoped_release release;
        robust_bellman(m, stage, discount, ambiguity, sign, v, o, b);
    }
    return py::make_tuple(out, best);
}

Tuple<Doubles, std::int64_t, bool> robust_iteration(const Model& model, double discount,
                                                    const Ambiguity& ambiguity, double sign,
                                                    double tol, double rtol,
                                                    std::int64_t max_improvements,
                                                    const Doubles& start) {
    const ModelView& m = model.view;
    need_discount(discount);
    need_one_stage(m);
    need_fitting(m, 0, ambiguity, sign);
    need_size(start, m.n_states, "start");
    Doubles value = copy_of(start);
    Iterations it;
    {
        double* v = value.mutable_data();
        const py::gil_scoped_release release;
        const Target target{tol, rtol};
        it = max_improvements == 0
                 ? robust_value_iteration(m, discount, ambiguity, sign, target, v, python_monitor())
                 : robust_modified_policy_iteration(m, discount, ambiguity, sign, target,
                                                    max_improvements, v, python_monitor());
    }
    return py::make_tuple(value, it.sweeps, it.converged);
}

Tuple<double, double, bool, Doubles, Rows> robust_residual_bounds(
    const Model& model, std::int64_t stage, double discount, const Ambiguity& ambiguity,
    double sign, const Doubles& next_head, const Doubles& next_tail, const Doubles& own_head,
    const Doubles& own_tail, double data_error, const Rows& rows) {
    const ModelView& m = model.view;
    stage = kernel_stage(m, stage);
    need_fitting(m, stage, ambiguity, sign);
    for (const Doubles* x : {&next_head, &next_tail, &own_head, &own_tail})
        need_size(*x, m.n_states, "a witness");
    need_size(rows, m.n_states, "rows");
    need_rows(m, stage, rows.data());
    Doubles residual(m.n_states);
    Rows better(m.n_states);
    ResidualBounds b;
    {
        double* res = residual.mutable_data();
        std::int64_t* bet = better.mutable_data();
        const WitnessView next{next_head.data(), next_tail.data()};
        const WitnessView own{own_head.data(), own_tail.data()};
        const std::int64_t* r = rows.data();
        const py::gil_scoped_release release;
        b = robust_residuals(m, stage, discount, ambiguity, sign, next, own, data_error, r, res,
                             bet);
    }
    return py::make_tuple(b.low, b.high, b.finite, residual, better);
}

Tuple<Array<std::int64_t>, Array<std::int32_t>, Doubles, Doubles> adversary_laws(
    const Model& model, std::int64_t stage, const Ambiguity& ambiguity, double sign,
    const Doubles& head, const Doubles& tail, const Rows& rows) {
    const ModelView& m = model.view;
    stage = kernel_stage(m, stage);
    need_fitting(m, stage, ambiguity, sign);
    need_size(head, m.n_states, "head");
    need_size(tail, m.n_states, "tail");
    const std::int64_t first = m.row_begin(stage, 0), count = rows.size();
    for (std::int64_t i = 0; i < count; ++i)
        if (rows.data()[i] < first || rows.data()[i] >= first + m.stage_rows(stage))
            throw std::invalid_argument("row " + std::to_string(rows.data()[i]) +
                                        " is not of this stage");
    Laws laws;
    {
        const WitnessView next{head.data(), tail.data()};
        const std::int64_t* r = rows.data();
        const py::gil_scoped_release release;
        laws = worst_laws(m, stage, ambiguity, sign, next, r, count);
    }
    return py::make_tuple(expose(Buffer<std::int64_t>(std::move(laws.row_ptr))),
                          expose(Buffer<std::int32_t>(std::move(laws.col))),
                          expose(Buffer<double>(std::move(laws.prob))),
                          expose(Buffer<double>(std::move(laws.exit))));
}

// --- coverage ---------------------------------------------------------------------------

Doubles reachable_occupancy(const Model& model, std::int64_t horizon, const Doubles& initial) {
    const ModelView& m = model.view;
    if (horizon < 1 || (m.n_stages > 1 && horizon != m.n_stages))
        throw std::invalid_argument("the horizon does not fit the stages of the model");
    need_size(initial, m.n_states, "initial");
    Doubles reach({horizon, m.n_states});
    {
        const double* rho = initial.data();
        double* out = reach.mutable_data();
        const py::gil_scoped_release release;
        largest_state_occupancy(m, horizon, rho, out, python_monitor());
    }
    return reach;
}

}  // namespace

void bind_planning(py::module_& m) {
    m.def("largest_state_occupancy", &reachable_occupancy, py::arg("model"), py::arg("horizon"),
          py::arg("initial").noconvert(), py::doc("(H, S): max over all policies of d_h(s)."));
    m.def("soft_bellman", &soft_backup, py::arg("model"), py::arg("stage"), py::arg("discount"),
          py::arg("temperature"), py::arg("weight").noconvert(), py::arg("log_weight").noconvert(),
          py::arg("bonus").noconvert(), py::arg("value").noconvert());
    m.def("soft_value_iteration", &soft_iteration, py::arg("model"), py::arg("discount"),
          py::arg("temperature"), py::arg("weight").noconvert(), py::arg("log_weight").noconvert(),
          py::arg("bonus").noconvert(), py::arg("tol"), py::arg("rtol"),
          py::arg("start").noconvert(), py::doc("(value, sweeps, converged)."));
    m.def("soft_residual_bounds", &soft_residual_bounds, py::arg("model"), py::arg("stage"),
          py::arg("discount"), py::arg("temperature"), py::arg("weight").noconvert(),
          py::arg("log_weight").noconvert(), py::arg("bonus").noconvert(),
          py::arg("next_head").noconvert(), py::arg("next_tail").noconvert(),
          py::arg("own_head").noconvert(), py::arg("own_tail").noconvert(), py::arg("data_error"),
          py::doc("(low, high, finite, residual, policy, log policy)."));
    py::classh<Ambiguity>(m, "Ambiguity", "What an adversary may make of the rows of one stage.")
        .def_static("l1", &l1_ambiguity, py::arg("n_states"), py::arg("radius").noconvert(),
                    py::arg("support_only"))
        .def_static("intervals", &interval_ambiguity, py::arg("n_states"),
                    py::arg("row_ptr").noconvert(), py::arg("col").noconvert(),
                    py::arg("low").noconvert(), py::arg("high").noconvert(),
                    py::doc("Outcome n_states is the end."));
    m.def("robust_bellman", &robust_backups, py::arg("model"), py::arg("stage"),
          py::arg("discount"), py::arg("ambiguity"), py::arg("sign"), py::arg("value").noconvert(),
          py::doc("(T value, lowest best rows); sign -1: the best laws."));
    m.def("robust_iteration", &robust_iteration, py::arg("model"), py::arg("discount"),
          py::arg("ambiguity"), py::arg("sign"), py::arg("tol"), py::arg("rtol"),
          py::arg("max_improvements"), py::arg("start").noconvert(),
          py::doc(
              "(value, sweeps, converged): value iteration if max_improvements is 0, else modified "
              "policy iteration."));
    m.def("robust_residual_bounds", &robust_residual_bounds, py::arg("model"), py::arg("stage"),
          py::arg("discount"), py::arg("ambiguity"), py::arg("sign"),
          py::arg("next_head").noconvert(), py::arg("next_tail").noconvert(),
          py::arg("own_head").noconvert(), py::arg("own_tail").noconvert(), py::arg("data_error"),
          py::arg("rows").noconvert(),
          py::doc("(low, high, finite, residual, better rows), scaled by row sums."));
    m.def("worst_laws", &adversary_laws, py::arg("model"), py::arg("stage"), py::arg("ambiguity"),
          py::arg("sign"), py::arg("head").noconvert(), py::arg("tail").noconvert(),
          py::arg("rows").noconvert(), py::doc("(row_ptr, col, prob, exit) of these rows."));
}

// --- average reward ---------------------------------------------------------------------

namespace {

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
                                        const Doubles& tail, double scale, const Rows& rows) {
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
        need = gain_drift(m, gain, scale, r, d);
    }
    return py::make_tuple(need.lower, need.upper, drift);
}

Tuple<Doubles, Doubles> curved(const Doubles& head, const Doubles& tail, double scale,
                               double centre_head, double centre_tail, double curvature) {
    need_size(tail, head.size(), "tail");
    Doubles h(head.size()), t(head.size());
    curve_gain(head.size(), {head.data(), tail.data()}, scale, centre_head, centre_tail, curvature,
               h.mutable_data(), t.mutable_data());
    return py::make_tuple(h, t);
}

}  // namespace

void bind_average(py::module_& m) {
    m.def("closed_classes", &classes_of, py::arg("model"), py::arg("rows").noconvert(),
          py::doc(
              "(number of closed classes, the class of each state or -1, the only class it reaches "
              "or -1)."));
    m.def("relative_value_iteration", &relative_iteration, py::arg("model"), py::arg("stay"),
          py::arg("tol"), py::arg("rtol"), py::arg("most"), py::arg("start").noconvert(),
          py::doc("(value, sweeps, converged, least and largest entry of T v - v)."));
    m.def("improve_gain_bias", &improved_rows, py::arg("model"), py::arg("gain").noconvert(),
          py::arg("bias").noconvert(), py::arg("rows").noconvert(),
          py::doc("(rows, number switched)."));
    m.def("improve_in_order", &improved_in_order, py::arg("model"), py::arg("gain"),
          py::arg("bias").noconvert(), py::arg("rows").noconvert(), py::arg("sweeps"),
          py::doc("(rows, number of switches, raised bias), where all states have one gain."));
    m.def("gain_bias_residuals", &residuals_of, py::arg("model"), py::arg("gain_head").noconvert(),
          py::arg("gain_tail").noconvert(), py::arg("bias_head").noconvert(),
          py::arg("bias_tail").noconvert(), py::arg("rows").noconvert(),
          py::doc(
              "(low, high, finite, residual, better rows), in double-double, scaled by row sums."));
    m.def("gain_drift", &drift_of, py::arg("model"), py::arg("head").noconvert(),
          py::arg("tail").noconvert(), py::arg("scale"), py::arg("rows").noconvert(),
          py::doc("(curvature needed below, above, drift of the policy's rows)."));
    m.def("curve_gain", &curved, py::arg("head").noconvert(), py::arg("tail").noconvert(),
          py::arg("scale"), py::arg("centre_head"), py::arg("centre_tail"), py::arg("curvature"),
          py::doc("(head, tail)."));
}

}  // namespace rlt
