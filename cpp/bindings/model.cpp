#include <optional>
#include <variant>

#include "bindings/arrays.hpp"
#include "bindings/cycle_means.hpp"
#include "bindings/module.hpp"
#include "graph/acyclic.hpp"
#include "graph/components.hpp"
#include "graph/cyclic_classes.hpp"
#include "graph/end_components.hpp"
#include "graph/far_apart.hpp"
#include "graph/reachability.hpp"
#include "model/build.hpp"
#include "model/garnet.hpp"
#include "model/induced.hpp"

namespace rlt {

namespace {

using OptionalDoubles = std::optional<Array<double>>;
using OptionalRows = std::optional<Array<std::int64_t>>;
using Pointers = std::variant<Array<std::int64_t>, Array<std::int32_t>>;

// The array, with what keeps it alive if it can never change, and else lent for the call.
template <class T>
Buffer<T> given(const Array<T>& array, bool may_alias) {
    return may_alias ? buffer_of(array) : Buffer<T>(array.data(), array.size(), nullptr);
}

Buffer<double> given(const OptionalDoubles& array, std::int64_t size, const char* name,
                     bool may_alias) {
    if (!array) return {};
    need_size(*array, size, name);
    return given(*array, may_alias);
}

void give_pointers(RawCsr& csr, const Pointers& pointers, bool may_alias) {
    if (const auto* wide = std::get_if<Array<std::int64_t>>(&pointers)) {
        csr.row_ptr = given(*wide, may_alias);
    } else {
        const auto& narrow = std::get<Array<std::int32_t>>(pointers);
        give_pointers(csr, narrow.data(), narrow.size());
    }
}

// The pairs are lent; `may_alias` is of the numbers of rows.
RawRows raw_rows(std::int64_t n_states, std::int64_t n_actions, std::int64_t n_stages,
                 std::int64_t n_rows, const OptionalRows& state, const OptionalRows& action,
                 const OptionalDoubles& reward, const OptionalDoubles& exit,
                 const OptionalDoubles& exit_reward, bool may_alias) {
    RawRows rows;
    rows.n_states = n_states;
    rows.n_actions = n_actions;
    rows.n_stages = n_stages;
    rows.n_rows = n_rows;
    if (state.has_value() != action.has_value())
        throw std::invalid_argument("state and action are given together");
    if (state) {
        need_size(*state, n_rows, "state");
        need_size(*action, n_rows, "action");
        rows.state = state->data();
        rows.action = action->data();
    }
    check_sizes(rows);
    if (!state && n_rows != n_states * n_actions * n_stages)
        throw std::invalid_argument("a full table needs a row for each stage, state and action");
    rows.reward = given(reward, n_rows, "reward", may_alias);
    rows.exit = given(exit, n_rows, "exit", may_alias);
    rows.exit_reward = given(exit_reward, n_rows, "exit_reward", may_alias);
    return rows;
}

ModelHandle from_csr(std::int64_t n_states, std::int64_t n_actions, std::int64_t n_stages,
                     const OptionalRows& state, const OptionalRows& action, const Pointers& row_ptr,
                     const Array<std::int32_t>& col, const Array<double>& prob,
                     const OptionalDoubles& reward, const OptionalDoubles& exit,
                     const OptionalDoubles& outcome_reward, const OptionalDoubles& exit_reward,
                     bool may_alias, bool rows_may_alias) {
    RawCsr csr;
    give_pointers(csr, row_ptr, may_alias);
    csr.col = given(col, may_alias);
    csr.prob = given(prob, may_alias);
    csr.outcome_reward = given(outcome_reward, col.size(), "outcome_reward", may_alias);
    if (csr.row_ptr.empty()) throw std::invalid_argument("row_ptr is empty");
    need_size(prob, col.size(), "prob");
    const RawRows rows = raw_rows(n_states, n_actions, n_stages, csr.row_ptr.size - 1, state,
                                  action, reward, exit, exit_reward, rows_may_alias);
    const py::gil_scoped_release release;
    return build_from_csr(rows, csr);
}

ModelHandle from_dense(std::int64_t n_states, std::int64_t n_actions, std::int64_t n_stages,
                       const OptionalRows& state, const OptionalRows& action,
                       const Array<double>& prob, const OptionalDoubles& reward,
                       const OptionalDoubles& exit, const OptionalDoubles& outcome_reward,
                       const OptionalDoubles& exit_reward, bool may_alias, bool rows_may_alias) {
    if (n_states < 1 || prob.size() % n_states != 0)
        throw ModelFault("transitions need rows of one entry per state");
    const RawRows rows = raw_rows(n_states, n_actions, n_stages, prob.size() / n_states, state,
                                  action, reward, exit, exit_reward, rows_may_alias);
    RawDense dense;
    dense.prob = given(prob, may_alias);
    dense.outcome_reward = given(outcome_reward, prob.size(), "outcome_reward", may_alias);
    const py::gil_scoped_release release;
    return build_from_dense(rows, dense);
}

Tuple<Array<std::int32_t>, Array<double>, Array<double>> garnet_arrays(std::int64_t rows,
                                                                       std::int64_t n_states,
                                                                       std::int64_t branching,
                                                                       std::uint64_t key0,
                                                                       std::uint64_t key1) {
    if (rows < 1 || n_states < 1 || branching < 1 || branching > n_states || n_states > INT32_MAX)
        throw std::invalid_argument("garnet needs rows >= 1 and 1 <= branching <= states");
    const auto entries = static_cast<std::size_t>(rows * branching);
    std::vector<std::int32_t> col(entries);
    std::vector<double> prob(entries), reward(static_cast<std::size_t>(rows));
    {
        const py::gil_scoped_release release;
        Philox random(key0, key1);
        garnet({rows, n_states, branching}, random, col.data(), prob.data(), reward.data());
    }
    return py::make_tuple(expose(Buffer<std::int32_t>(std::move(col))),
                          expose(Buffer<double>(std::move(prob))),
                          expose(Buffer<double>(std::move(reward))));
}

const char* storage_name(const Model& m) {
    switch (m.view.storage) {
        case Storage::dense:
            return "dense";
        case Storage::deterministic:
            return "deterministic";
        default:
            return "csr";
    }
}

}  // namespace

void bind_model(py::module_& m) {
    py::register_exception<ModelFault>(m, "ModelFault", PyExc_ValueError);

    py::classh<Model>(m, "Model", "A validated model; its arrays are read-only.")
        .def_property_readonly("n_states", [](const Model& x) { return x.view.n_states; })
        .def_property_readonly("n_actions", [](const Model& x) { return x.view.n_actions; })
        .def_property_readonly("n_stages", [](const Model& x) { return x.view.n_stages; })
        .def_property_readonly("n_rows", [](const Model& x) { return x.view.n_rows; })
        .def_property_readonly("n_entries", [](const Model& x) { return x.view.n_entries; })
        .def_property_readonly("longest_row", [](const Model& x) { return x.view.longest_row; })
        .def_property_readonly("has_exits", [](const Model& x) { return x.view.has_exits; })
        .def_property_readonly("storage",
                               [](const Model& x) { return std::string(storage_name(x)); })
        .def_property_readonly("state_ptr", [](const Model& x) { return expose(x.state_ptr); })
        .def_property_readonly("action", [](const Model& x) { return expose(x.action); })
        .def_property_readonly("reward", [](const Model& x) { return expose(x.reward); })
        .def_property_readonly("exit", [](const Model& x) { return expose(x.exit); })
        .def_property_readonly("defect", [](const Model& x) { return expose(x.defect); })
        .def_property_readonly("row_ptr", [](const Model& x) { return expose(x.row_ptr); })
        .def_property_readonly("col", [](const Model& x) { return expose(x.col); })
        .def_property_readonly("prob", [](const Model& x) { return expose(x.prob); })
        .def_property_readonly("outcome_reward",
                               [](const Model& x) { return expose(x.outcome_reward); })
        .def_property_readonly("exit_reward", [](const Model& x) { return expose(x.exit_reward); });

    m.def("from_csr", &from_csr, py::arg("n_states"), py::arg("n_actions"), py::arg("n_stages"),
          py::arg("state").noconvert(), py::arg("action").noconvert(),
          py::arg("row_ptr").noconvert(), py::arg("col").noconvert(), py::arg("prob").noconvert(),
          py::arg("reward").noconvert(), py::arg("exit").noconvert(),
          py::arg("outcome_reward").noconvert(), py::arg("exit_reward").noconvert(),
          py::arg("may_alias"), py::arg("rows_may_alias"));
    m.def("from_dense", &from_dense, py::arg("n_states"), py::arg("n_actions"), py::arg("n_stages"),
          py::arg("state").noconvert(), py::arg("action").noconvert(), py::arg("prob").noconvert(),
          py::arg("reward").noconvert(), py::arg("exit").noconvert(),
          py::arg("outcome_reward").noconvert(), py::arg("exit_reward").noconvert(),
          py::arg("may_alias"), py::arg("rows_may_alias"));
    m.def(
        "with_rewards",
        [](const Model& model, const Array<double>& reward) {
            need_size(reward, model.view.n_rows, "reward");
            return with_rewards(model, buffer_of(reward));
        },
        py::arg("model"), py::arg("reward").noconvert());
    m.def(
        "as_csr",
        [](const Model& model) -> Tuple<Array<std::int64_t>, Array<std::int32_t>, Array<double>> {
            const CsrArrays csr = as_csr(model);
            return py::make_tuple(expose(csr.row_ptr), expose(csr.col), expose(csr.prob));
        },
        py::arg("model"), py::doc("(row_ptr, col, prob) of any storage."));
    m.def(
        "induced_chain",
        [](const Model& model, const Array<double>& weight) {
            need_size(weight, model.view.n_rows, "weight");
            if (model.view.n_stages != 1)
                throw std::invalid_argument("the model must be stationary");
            const py::gil_scoped_release release;
            return induced_chain(model, weight.data());
        },
        py::arg("model"), py::arg("weight").noconvert());
    m.def("garnet", &garnet_arrays, py::arg("rows"), py::arg("n_states"), py::arg("branching"),
          py::arg("key0"), py::arg("key1"), py::doc("(col, prob, reward) of a Garnet model."));
}

// --- the graph of a model ----------------------------------------------------------------

namespace {

using Flags = Array<bool>;
using Labels = Array<std::int64_t>;

void need_stationary(const Model& model) {
    if (model.view.n_stages != 1) throw std::invalid_argument("the model must be stationary");
}

std::vector<std::uint8_t> bytes(const Flags& flags, std::int64_t size, const char* name) {
    need_size(flags, size, name);
    return {flags.data(), flags.data() + size};
}

Flags flags_of(const std::vector<std::uint8_t>& x) {
    Flags out(static_cast<std::int64_t>(x.size()));
    std::copy(x.begin(), x.end(), out.mutable_data());
    return out;
}

Labels labels_of(std::vector<std::int64_t>&& x) {
    return expose(Buffer<std::int64_t>(std::move(x)));
}

Labels strong_components(const Model& model, const Flags& rows) {
    need_stationary(model);
    const auto keep = bytes(rows, model.view.n_rows, "rows");
    std::vector<std::int64_t> label;
    {
        const py::gil_scoped_release release;
        label = components(Graph(model.view), keep);
    }
    return labels_of(std::move(label));
}

Tuple<Labels, Flags> maximal_end_components(const Model& model, const Flags& rows) {
    need_stationary(model);
    const auto keep = bytes(rows, model.view.n_rows, "rows");
    EndComponents found;
    {
        const py::gil_scoped_release release;
        found = end_components(Graph(model.view), keep);
    }
    return py::make_tuple(labels_of(std::move(found.label)), flags_of(found.inside));
}

Tuple<Labels, std::int64_t> cyclic(const Model& model) {
    need_stationary(model);
    CyclicClasses found;
    {
        const py::gil_scoped_release release;
        found = cyclic_classes(model.view);
    }
    std::vector<std::int64_t> label(static_cast<std::size_t>(model.view.n_states), 0);
    for (std::size_t k = 0; k + 1 < found.first.size(); ++k)
        for (std::int64_t i = found.first[k]; i < found.first[k + 1]; ++i)
            label[static_cast<std::size_t>(found.states[static_cast<std::size_t>(i)])] =
                found.count() - 1 - static_cast<std::int64_t>(k);
    return py::make_tuple(labels_of(std::move(label)), found.count());
}

Tuple<Flags, Labels> reach(const Model& model, const Flags& rows, const Flags& goal, bool certain) {
    need_stationary(model);
    const auto keep = bytes(rows, model.view.n_rows, "rows");
    const auto target = bytes(goal, model.view.n_states, "goal");
    Reached found;
    {
        const py::gil_scoped_release release;
        const Graph g(model.view);
        found = certain ? reach_certainly(g, keep, target) : reach_possibly(g, keep, target);
    }
    return py::make_tuple(flags_of(found.state), labels_of(std::move(found.row)));
}

bool states_far_apart(const Model& model, std::int64_t steps, std::int64_t most) {
    need_stationary(model);
    const py::gil_scoped_release release;
    return far_apart(model.view, steps, most);
}

bool states_mostly_acyclic(const Model& model) {
    need_stationary(model);
    const py::gil_scoped_release release;
    return mostly_acyclic(model.view);
}

}  // namespace

void bind_graph(py::module_& m) {
    bind_cycle_means(m);
    m.def(
        "components", &strong_components, py::arg("model"), py::arg("rows").noconvert(),
        py::doc(
            "Strongly connected components along these rows: a label of each state, none of which "
            "leads to a larger one."));
    m.def("end_components", &maximal_end_components, py::arg("model"), py::arg("rows").noconvert(),
          py::doc(
              "(label of each state or -1, whether a row keeps to its component), of these rows."));
    m.def(
        "cyclic_classes", &cyclic, py::arg("model"),
        py::doc(
            "(class of each state, their number): every row leads from one class to the next, and "
            "from the last to the first."));
    m.def("far_apart", &states_far_apart, py::arg("model"), py::arg("steps"), py::arg("most"),
          py::doc("Whether a state is more than so many steps away from state 0, as far as can be "
                  "told by looking at no more than `most` states."));
    m.def(
        "mostly_acyclic", &states_mostly_acyclic, py::arg("model"),
        py::doc("Whether from more than half of the states no way leads round, but in one state."));
    m.def(
        "reach", &reach, py::arg("model"), py::arg("rows").noconvert(), py::arg("goal").noconvert(),
        py::arg("certain"),
        py::doc(
            "(whether a goal state or an ending is reached from a state, possibly or for certain; "
            "the row of a policy that does, or -1)."));
}

}  // namespace rlt
