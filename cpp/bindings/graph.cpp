#include "bindings/arrays.hpp"
#include "bindings/module.hpp"
#include "graph/components.hpp"
#include "graph/end_components.hpp"
#include "graph/reachability.hpp"

namespace rlt {

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

}  // namespace

void bind_graph(py::module_& m) {
    m.def("components", &strong_components, py::arg("model"), py::arg("rows").noconvert(),
          "Strongly connected components along these rows: a label of each state, none of which "
          "leads to a larger one.");
    m.def("end_components", &maximal_end_components, py::arg("model"), py::arg("rows").noconvert(),
          "(label of each state or -1, whether a row keeps to its component), of these rows.");
    m.def("reach", &reach, py::arg("model"), py::arg("rows").noconvert(),
          py::arg("goal").noconvert(), py::arg("certain"),
          "(whether a goal state or an ending is reached from a state, possibly or for certain; "
          "the row of a policy that does, or -1).");
}

}  // namespace rlt
