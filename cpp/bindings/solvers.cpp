#include "bindings/arrays.hpp"
#include "bindings/module.hpp"
#include "solvers/certificates.hpp"
#include "solvers/modified_policy_iteration.hpp"
#include "solvers/ordered_iteration.hpp"
#include "solvers/policy_chain.hpp"
#include "solvers/policy_iteration.hpp"
#include "solvers/sweeps.hpp"
#include "support/float_mode.hpp"

namespace rlt {

namespace {

void need_horizon(const ModelView& m, std::int64_t horizon) {
    if (horizon < 1 || (m.n_stages > 1 && horizon != m.n_stages))
        throw std::invalid_argument("horizon " + std::to_string(horizon) +
                                    " does not fit the model");
}

Tuple<Doubles, Rows> bellman_backup(const Model& model, std::int64_t stage, double discount,
                                    const Doubles& value) {
    const ModelView& m = model.view;
    stage = kernel_stage(m, stage);
    need_size(value, m.n_states, "value");
    Doubles out(m.n_states);
    Rows best(m.n_states);
    {
        const double* v = value.data();
        double* o = out.mutable_data();
        std::int64_t* b = best.mutable_data();
        const py::gil_scoped_release release;
        bellman(m, stage, discount, v, o, b);
    }
    return py::make_tuple(out, best);
}

Doubles q_backup(const Model& model, std::int64_t stage, double discount, const Doubles& value) {
    const ModelView& m = model.view;
    stage = kernel_stage(m, stage);
    need_size(value, m.n_states, "value");
    Doubles q(m.stage_rows(stage));
    const double* v = value.data();
    double* o = q.mutable_data();
    const py::gil_scoped_release release;
    q_values(m, stage, discount, v, o);
    return q;
}

template <class Method>
auto iteration(Method method) {
    return [method](const Model& model, double discount, double tol, double rtol,
                    const Doubles& start) -> Tuple<Doubles, std::int64_t, bool> {
        need_discount(discount);
        need_size(start, model.view.n_states, "start");
        Doubles value = copy_of(start);
        double* v = value.mutable_data();
        Iterations it;
        {
            const py::gil_scoped_release release;
            it = method(model.view, discount, Target{tol, rtol}, v, python_monitor());
        }
        return py::make_tuple(value, it.sweeps, it.converged);
    };
}

Tuple<Doubles, Rows, std::int64_t, bool, double, double, bool, std::int64_t, bool> modified_policy(
    const Model& model, double discount, double tol, double rtol, double patience,
    const Doubles& start) {
    need_discount(discount);
    need_size(start, model.view.n_states, "start");
    Doubles value = copy_of(start);
    Rows rows(model.view.n_states);
    Improved it;
    {
        double* v = value.mutable_data();
        std::int64_t* r = rows.mutable_data();
        const py::gil_scoped_release release;
        it = modified_policy_iteration(model.view, discount, Target{tol, rtol}, patience, v, r,
                                       python_monitor());
    }
    return py::make_tuple(value, rows, it.sweeps, it.converged, it.low, it.high, it.exhausted,
                          it.classes, it.by_equations);
}

Tuple<Doubles, Rows, std::int64_t, bool> ordered(const Model& model, double discount, double tol,
                                                 double rtol, const Doubles& start) {
    need_discount(discount);
    need_size(start, model.view.n_states, "start");
    Doubles value = copy_of(start);
    Rows rows(model.view.n_states);
    Iterations it;
    {
        double* v = value.mutable_data();
        std::int64_t* r = rows.mutable_data();
        const py::gil_scoped_release release;
        it = ordered_policy_iteration(model.view, discount, Target{tol, rtol}, v, r,
                                      python_monitor());
    }
    return py::make_tuple(value, rows, it.sweeps, it.converged);
}

Tuple<Doubles, Rows, std::int64_t, bool> howard(const Model& model, double discount,
                                                std::int64_t most, const Doubles& start) {
    need_discount(discount);
    need_size(start, model.view.n_states, "start");
    if (model.view.n_states > PolicyChain::dense_limit)
        throw std::invalid_argument("the model has more than " +
                                    std::to_string(PolicyChain::dense_limit) + " states");
    Doubles value = copy_of(start);
    Rows rows(model.view.n_states);
    Iterations it;
    {
        double* v = value.mutable_data();
        std::int64_t* r = rows.mutable_data();
        const py::gil_scoped_release release;
        it = policy_iteration(model.view, discount, most, v, r, python_monitor());
    }
    return py::make_tuple(value, rows, it.sweeps, it.converged);
}

Tuple<Doubles, Rows, std::int64_t> ordered_total(const Model& model, double tol, double rtol,
                                                 std::int64_t most, const Doubles& start,
                                                 const Rows& rows) {
    const ModelView& m = model.view;
    need_size(start, m.n_states, "start");
    need_size(rows, m.n_states, "rows");
    need_rows(m, 0, rows.data());
    Doubles value = copy_of(start);
    Rows found(m.n_states);
    std::copy_n(rows.data(), m.n_states, found.mutable_data());
    Iterations it;
    {
        double* v = value.mutable_data();
        std::int64_t* r = found.mutable_data();
        const py::gil_scoped_release release;
        it = ordered_total_sweeps(m, Target{tol, rtol}, most, v, r, python_monitor());
    }
    return py::make_tuple(value, found, it.sweeps);
}

Tuple<Rows, std::int64_t> improve_rows(const Model& model, double discount, const Doubles& value,
                                       const Rows& rows) {
    const ModelView& m = model.view;
    need_size(value, m.n_states, "value");
    need_size(rows, m.n_states, "rows");
    need_rows(m, 0, rows.data());
    Rows improved(m.n_states);
    std::int64_t switched;
    {
        const double* v = value.data();
        const std::int64_t* r = rows.data();
        std::int64_t* out = improved.mutable_data();
        const py::gil_scoped_release release;
        switched = improve(m, discount, v, r, out);
    }
    return py::make_tuple(improved, switched);
}

Tuple<Doubles, Rows, Doubles> induction(const Model& model, std::int64_t horizon) {
    const ModelView& m = model.view;
    need_horizon(m, horizon);
    Doubles value({horizon + 1, m.n_states});
    Rows rows({horizon, m.n_states});
    Doubles error(horizon);
    {
        double* v = value.mutable_data();
        std::int64_t* r = rows.mutable_data();
        double* e = error.mutable_data();
        const py::gil_scoped_release release;
        backward_induction(m, horizon, v, r, e, python_monitor());
    }
    return py::make_tuple(value, rows, error);
}

Tuple<Doubles, Doubles, Rows> induction_double_double(const Model& model, std::int64_t horizon) {
    const ModelView& m = model.view;
    need_horizon(m, horizon);
    Doubles head({horizon + 1, m.n_states}), tail({horizon + 1, m.n_states});
    Rows rows({horizon, m.n_states});
    {
        double* hd = head.mutable_data();
        double* tl = tail.mutable_data();
        std::int64_t* r = rows.mutable_data();
        const py::gil_scoped_release release;
        const Monitor monitor = python_monitor();
        const std::int64_t n = m.n_states;
        std::fill_n(hd + horizon * n, n, 0.0);
        std::fill_n(tl + horizon * n, n, 0.0);
        for (std::int64_t h = horizon - 1; h >= 0; --h) {
            backup_double_double(m, m.n_stages > 1 ? h : 0, {hd + (h + 1) * n, tl + (h + 1) * n},
                                 hd + h * n, tl + h * n, r + h * n);
            monitor();
        }
    }
    return py::make_tuple(head, tail, rows);
}

std::int64_t weight_stride(const ModelView& m, const Doubles& weight, std::int64_t horizon) {
    need_horizon(m, horizon);
    if (m.n_stages > 1 || weight.size() == m.n_rows) {
        need_size(weight, m.n_rows, "weight");
        return 0;
    }
    need_size(weight, m.n_rows * horizon, "weight");
    return m.n_rows;
}

Doubles backward_of_policy(const Model& model, std::int64_t horizon, const Doubles& weight) {
    const ModelView& m = model.view;
    const std::int64_t stride = weight_stride(m, weight, horizon);
    Doubles value({horizon + 1, m.n_states});
    const double* w = weight.data();
    double* v = value.mutable_data();
    const py::gil_scoped_release release;
    policy_backward(m, horizon, w, stride, v, python_monitor());
    return value;
}

Doubles forward_of_policy(const Model& model, std::int64_t horizon, const Doubles& weight,
                          const Doubles& initial) {
    const ModelView& m = model.view;
    const std::int64_t stride = weight_stride(m, weight, horizon);
    need_size(initial, m.n_states, "initial");
    Doubles occupancy(m.n_stages > 1 ? m.n_rows : m.n_rows * horizon);
    const double* w = weight.data();
    const double* start = initial.data();
    double* d = occupancy.mutable_data();
    const py::gil_scoped_release release;
    policy_forward(m, horizon, w, stride, start, d, python_monitor());
    return occupancy;
}

Tuple<double, double, bool> bounds_tuple(const ResidualBounds& b) {
    return py::make_tuple(b.low, b.high, b.finite);
}

Tuple<double, double, bool> residual_bounds(const Model& model, std::int64_t stage, double discount,
                                            const Doubles& next, const Doubles& own,
                                            const Rows& rows) {
    const ModelView& m = model.view;
    stage = kernel_stage(m, stage);
    need_size(next, m.n_states, "next");
    need_size(own, m.n_states, "own");
    need_size(rows, m.n_states, "rows");
    need_rows(m, stage, rows.data());
    ResidualBounds bounds;
    {
        const py::gil_scoped_release release;
        bounds = residuals(m, stage, discount, next.data(), own.data(), rows.data());
    }
    return bounds_tuple(bounds);
}

Tuple<double, double, bool, Doubles, Rows> precise_residual_bounds(
    const Model& model, std::int64_t stage, double discount, const Doubles& next_head,
    const Doubles& next_tail, const Doubles& own_head, const Doubles& own_tail, const Rows& rows) {
    const ModelView& m = model.view;
    stage = kernel_stage(m, stage);
    for (const Doubles* x : {&next_head, &next_tail, &own_head, &own_tail})
        need_size(*x, m.n_states, "a witness");
    need_size(rows, m.n_states, "rows");
    need_rows(m, stage, rows.data());
    Doubles residual(m.n_states);
    Rows better(m.n_states);
    ResidualBounds bounds;
    {
        double* res = residual.mutable_data();
        std::int64_t* bet = better.mutable_data();
        const WitnessView next{next_head.data(), next_tail.data()};
        const WitnessView own{own_head.data(), own_tail.data()};
        const std::int64_t* r = rows.data();
        const py::gil_scoped_release release;
        bounds = residuals(m, stage, discount, next, own, r, res, bet);
    }
    return py::make_tuple(bounds.low, bounds.high, bounds.finite, residual, better);
}

Tuple<Doubles, Doubles> corrected(const Doubles& head, const Doubles& tail,
                                  const Doubles& correction) {
    need_size(tail, head.size(), "tail");
    need_size(correction, head.size(), "correction");
    Doubles h = copy_of(head), t = copy_of(tail);
    add_correction(head.size(), h.mutable_data(), t.mutable_data(), correction.data());
    return py::make_tuple(h, t);
}

Tuple<Doubles, Doubles> outward(const Doubles& head, const Doubles& tail, double lower_shift,
                                double upper_shift) {
    need_size(tail, head.size(), "tail");
    Doubles lower(head.size()), upper(head.size());
    {
        double* lo = lower.mutable_data();
        double* hi = upper.mutable_data();
        const WitnessView witness{head.data(), tail.data()};
        const std::int64_t n = head.size();
        const py::gil_scoped_release release;
        round_outward(n, witness, lower_shift, upper_shift, lo, hi);
    }
    return py::make_tuple(lower, upper);
}

Tuple<Doubles, Doubles> outward_by(const Doubles& head, const Doubles& tail,
                                   const Doubles& lower_shift, const Doubles& upper_shift) {
    for (const Doubles* x : {&tail, &lower_shift, &upper_shift})
        need_size(*x, head.size(), "a tail or shift");
    Doubles lower(head.size()), upper(head.size());
    {
        double* lo = lower.mutable_data();
        double* hi = upper.mutable_data();
        const WitnessView witness{head.data(), tail.data()};
        const double* below = lower_shift.data();
        const double* above = upper_shift.data();
        const std::int64_t n = head.size();
        const py::gil_scoped_release release;
        round_outward(n, witness, below, above, lo, hi);
    }
    return py::make_tuple(lower, upper);
}

double gap_of(const Doubles& lower, const Doubles& upper) {
    need_size(upper, lower.size(), "upper");
    return largest_gap(lower.size(), lower.data(), upper.data());
}

std::shared_ptr<PolicyChain> make_chain(const Model& model, double discount, const Rows& rows) {
    const ModelView& m = model.view;
    if (discount != 1.0) need_discount(discount);
    need_size(rows, m.n_states, "rows");
    need_rows(m, 0, rows.data());
    const std::int64_t* r = rows.data();
    const py::gil_scoped_release release;
    const StandardFloatMode mode;
    return std::make_shared<PolicyChain>(m, discount, r);
}

std::shared_ptr<PolicyChain> make_hitting_chain(const Model& model, const Rows& rows,
                                                const Array<bool>& targets) {
    const ModelView& m = model.view;
    need_size(rows, m.n_states, "rows");
    need_size(targets, m.n_states, "targets");
    need_rows(m, 0, rows.data());
    const std::int64_t* r = rows.data();
    const bool* t = targets.data();
    const py::gil_scoped_release release;
    const StandardFloatMode mode;
    return std::make_shared<PolicyChain>(m, 1.0, r, t);
}

Tuple<Doubles, double, std::int64_t> solve_chain(const PolicyChain& chain, const Doubles& b,
                                                 const Doubles& start, double wanted,
                                                 std::int64_t most, bool transposed) {
    need_size(b, chain.size(), "b");
    need_size(start, chain.size(), "start");
    Doubles x = copy_of(start);
    LinearSolve result;
    {
        double* out = x.mutable_data();
        const double* rhs = b.data();
        const py::gil_scoped_release release;
        const StandardFloatMode mode;
        result = chain.solve(rhs, out, wanted, most, transposed, python_monitor());
    }
    return py::make_tuple(x, result.relative_residual, result.iterations);
}

}  // namespace

void bind_solvers(py::module_& m) {
    m.def("bellman", &bellman_backup, py::arg("model"), py::arg("stage"), py::arg("discount"),
          py::arg("value").noconvert(), py::doc("(T value, lowest best rows)."));
    m.def("q_values", &q_backup, py::arg("model"), py::arg("stage"), py::arg("discount"),
          py::arg("value").noconvert(), py::doc("r + discount P value of every row of the stage."));
    m.def("value_iteration", iteration(&value_iteration), py::arg("model"), py::arg("discount"),
          py::arg("tol"), py::arg("rtol"), py::arg("start").noconvert(),
          py::doc("(value, sweeps, converged)."));
    m.def("gauss_seidel", iteration(&gauss_seidel), py::arg("model"), py::arg("discount"),
          py::arg("tol"), py::arg("rtol"), py::arg("start").noconvert(),
          py::doc("(value, sweeps, converged)."));
    m.def(
        "modified_policy_iteration", &modified_policy, py::arg("model"), py::arg("discount"),
        py::arg("tol"), py::arg("rtol"), py::arg("patience"), py::arg("start").noconvert(),
        py::doc("(value, rows, sweeps, converged, low, high, exhausted, classes, by_equations)."));
    m.def("ordered_policy_iteration", &ordered, py::arg("model"), py::arg("discount"),
          py::arg("tol"), py::arg("rtol"), py::arg("start").noconvert(),
          py::doc("(value, rows, sweeps, converged)."));
    m.def("policy_iteration", &howard, py::arg("model"), py::arg("discount"), py::arg("most"),
          py::arg("start").noconvert(),
          py::doc("(value, rows, policies, converged), of a small model."));
    m.def("ordered_total_sweeps", &ordered_total, py::arg("model"), py::arg("tol"), py::arg("rtol"),
          py::arg("most"), py::arg("start").noconvert(), py::arg("rows").noconvert(),
          py::doc("(value, rows, sweeps)."));
    m.def("improve", &improve_rows, py::arg("model"), py::arg("discount"),
          py::arg("value").noconvert(), py::arg("rows").noconvert(),
          py::doc("(rows, number switched)."));
    m.def("backward_induction", &induction, py::arg("model"), py::arg("horizon"),
          py::doc("(value (H+1, S), rows (H, S), residual errors (H,))."));
    m.def("backward_induction_double_double", &induction_double_double, py::arg("model"),
          py::arg("horizon"), py::doc("(head, tail, rows)."));
    m.def("policy_backward", &backward_of_policy, py::arg("model"), py::arg("horizon"),
          py::arg("weight").noconvert());
    m.def("policy_forward", &forward_of_policy, py::arg("model"), py::arg("horizon"),
          py::arg("weight").noconvert(), py::arg("initial").noconvert());
    m.def("residual_bounds", &residual_bounds, py::arg("model"), py::arg("stage"),
          py::arg("discount"), py::arg("next").noconvert(), py::arg("own").noconvert(),
          py::arg("rows").noconvert(), py::doc("(low, high, finite), in doubles."));
    m.def("precise_residual_bounds", &precise_residual_bounds, py::arg("model"), py::arg("stage"),
          py::arg("discount"), py::arg("next_head").noconvert(), py::arg("next_tail").noconvert(),
          py::arg("own_head").noconvert(), py::arg("own_tail").noconvert(),
          py::arg("rows").noconvert(),
          py::doc(
              "(low, high, finite, residual, better rows), in double-double, scaled by row sums."));
    m.def("add_correction", &corrected, py::arg("head").noconvert(), py::arg("tail").noconvert(),
          py::arg("correction").noconvert(), py::doc("(head, tail)."));
    m.def("round_outward", &outward, py::arg("head").noconvert(), py::arg("tail").noconvert(),
          py::arg("lower_shift"), py::arg("upper_shift"), py::doc("(lower, upper)."));
    m.def("round_outward_by", &outward_by, py::arg("head").noconvert(), py::arg("tail").noconvert(),
          py::arg("lower_shift").noconvert(), py::arg("upper_shift").noconvert(),
          py::doc("(lower, upper), with shifts of each state's own."));
    m.def("largest_gap", &gap_of, py::arg("lower").noconvert(), py::arg("upper").noconvert(),
          py::doc("max (upper - lower), rounded up."));
    py::classh<PolicyChain>(m, "PolicyChain", "The equations (I - discount P_pi) x = b.")
        .def(py::init(&make_chain), py::arg("model"), py::arg("discount"),
             py::arg("rows").noconvert())
        .def_static("hitting", &make_hitting_chain, py::arg("model"), py::arg("rows").noconvert(),
                    py::arg("targets").noconvert(),
                    py::doc("At discount 1, with moves into the targets counted as ends."))
        .def("solve", &solve_chain, py::arg("b").noconvert(), py::arg("start").noconvert(),
             py::arg("wanted"), py::arg("most"), py::arg("transposed"),
             py::doc("(x, relative residual, iterations)."))
        .def(
            "matrix",
            [](const PolicyChain& c) -> Tuple<Array<std::int64_t>, Array<std::int32_t>, Doubles> {
                SparseRows rows = c.rows();
                return py::make_tuple(expose(Buffer<std::int64_t>(std::move(rows.ptr))),
                                      expose(Buffer<std::int32_t>(std::move(rows.col))),
                                      expose(Buffer<double>(std::move(rows.value))));
            },
            py::doc("(row_ptr, col, values) of I - discount P_pi."));
}

}  // namespace rlt
