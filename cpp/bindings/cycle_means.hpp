// Maximum mean cycles of graphs from Python, and their best walks.
#pragma once

#include <cmath>

#include "bindings/arrays.hpp"
#include "graph/components.hpp"
#include "graph/howard.hpp"
#include "graph/karp.hpp"
#include "graph/walks.hpp"

namespace rlt {

inline constexpr std::int64_t largest_weight = std::int64_t{1} << 62;

inline void need_weight(double w, std::int64_t a) {
    if (!std::isfinite(w))
        throw std::invalid_argument("the reward of arc " + std::to_string(a) + " is not finite");
}

inline void need_weight(std::int64_t w, std::int64_t a) {
    if (w > largest_weight || w < -largest_weight)
        throw std::invalid_argument("the reward of arc " + std::to_string(a) +
                                    " is beyond 2^62, which is too large");
}

// Arcs of vertex v: ptr[v] .. ptr[v + 1] - 1.
template <class Weight>
Arcs<Weight> arcs_of(const Array<std::int64_t>& ptr, const Array<std::int32_t>& to,
                     const Array<Weight>& weight) {
    const std::int64_t vertices = ptr.size() - 1, count = to.size();
    if (vertices < 1 || vertices > std::numeric_limits<std::int32_t>::max())
        throw std::invalid_argument("a graph must have 1 to 2^31 - 1 vertices");
    need_size(weight, count, "reward");
    const Arcs<Weight> arcs{vertices, ptr.data(), to.data(), weight.data()};
    if (arcs.ptr[0] != 0 || arcs.ptr[vertices] != count)
        throw std::invalid_argument("ptr must go from 0 to " + std::to_string(count) +
                                    ", the number of arcs");
    for (std::int64_t v = 0; v < vertices; ++v)
        if (arcs.ptr[v + 1] <= arcs.ptr[v])
            throw std::invalid_argument("vertex " + std::to_string(v) +
                                        " has no successor; each needs one, and ptr must ascend");
    for (std::int64_t a = 0; a < count; ++a) {
        if (arcs.to[a] < 0 || arcs.to[a] >= vertices)
            throw std::invalid_argument("arc " + std::to_string(a) + " leads to " +
                                        std::to_string(arcs.to[a]) + "; vertices are 0.." +
                                        std::to_string(vertices - 1));
        need_weight(arcs.weight[a], a);
    }
    return arcs;
}

template <class T>
py::array_t<T> hand_over(std::vector<T>&& x) {
    return expose(Buffer<T>(std::move(x)));
}

inline Tuple<py::array_t<double>> potentials(std::vector<double>&& x) {
    return py::make_tuple(hand_over(std::move(x)));
}

// Integers of 128 bits as their upper and lower halves.
inline Tuple<py::array_t<std::int64_t>, py::array_t<std::uint64_t>> potentials(
    std::vector<Int128>&& x) {
    std::vector<std::int64_t> high(x.size());
    std::vector<std::uint64_t> low(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        high[i] = static_cast<std::int64_t>(x[i] >> 64);
        low[i] = static_cast<std::uint64_t>(x[i]);
    }
    return py::make_tuple(hand_over(std::move(high)), hand_over(std::move(low)));
}

template <class Weight>
using Potentials = decltype(potentials(std::vector<typename MeanOf<Weight>::Potential>()));
using Labels32 = py::array_t<std::int32_t>;

template <class Weight>
Tuple<py::array_t<std::int64_t>, Labels32, Labels32, Labels32, Potentials<Weight>, std::int64_t,
      bool>
mean_cycles(const Array<std::int64_t>& ptr, const Array<std::int32_t>& to,
            const Array<Weight>& weight, bool by_karp, double gain_slack, double potential_slack,
            std::int64_t most) {
    const Arcs<Weight> arcs = arcs_of(ptr, to, weight);
    MeanCycles<Weight> found;
    {
        const py::gil_scoped_release release;
        if (by_karp) {
            const Graph graph({arcs.ptr, arcs.ptr + arcs.vertices + 1}, arcs.to);
            const std::vector<std::uint8_t> all(static_cast<std::size_t>(graph.n_rows), 1);
            found = karp_cycles(arcs, components(graph, all), gain_slack, python_monitor());
        } else {
            found = howard_cycles(arcs, gain_slack, potential_slack, most, python_monitor());
        }
    }
    return py::make_tuple(hand_over(std::move(found.policy)), hand_over(std::move(found.cycle)),
                          hand_over(std::move(found.reference)), hand_over(std::move(found.level)),
                          potentials(std::move(found.potential)), found.iterations,
                          found.converged);
}

inline Tuple<bool, Array<double>> level_bounds(
    const Array<std::int64_t>& ptr, const Array<std::int32_t>& to, const Array<double>& weight,
    const Array<std::int32_t>& level, const Array<double>& potential, std::int64_t levels) {
    const Arcs<double> arcs = arcs_of(ptr, to, weight);
    need_size(level, arcs.vertices, "level");
    need_size(potential, arcs.vertices, "potential");
    for (std::int64_t v = 0; v < arcs.vertices; ++v)
        if (level.data()[v] < 0 || level.data()[v] >= levels)
            throw std::invalid_argument("there is no such level");
    Array<double> upper(levels);
    bool descending = false;
    {
        const std::int32_t* l = level.data();
        const double* h = potential.data();
        double* u = upper.mutable_data();
        const py::gil_scoped_release release;
        descending = bound_levels(arcs, l, h, levels, u);
    }
    return py::make_tuple(descending, upper);
}

template <class Weight>
Tuple<py::array_t<Weight>, py::array_t<Weight>> walk_values(const Array<std::int64_t>& ptr,
                                                            const Array<std::int32_t>& to,
                                                            const Array<Weight>& weight,
                                                            std::int64_t horizon,
                                                            std::int64_t start, bool tables) {
    const Arcs<Weight> arcs = arcs_of(ptr, to, weight);
    if (horizon < 0) throw std::invalid_argument("the horizon must be at least 0");
    if (start < 0 || start >= arcs.vertices) throw std::invalid_argument("there is no such vertex");
    if constexpr (std::is_same_v<Weight, std::int64_t>) {
        std::int64_t largest = 0;
        for (std::int64_t a = 0; a < arcs.count(); ++a)
            largest = std::max(largest, std::abs(arcs.weight[a]));
        if (Int128{largest} * horizon > largest_weight)
            throw std::invalid_argument("the horizon times the largest reward is beyond 2^62");
    }
    py::array_t<Weight> values(horizon + 1);
    py::array_t<Weight> table({tables ? horizon + 1 : 0, arcs.vertices});
    {
        Weight* v = values.mutable_data();
        Weight* kept = tables ? table.mutable_data() : nullptr;
        const py::gil_scoped_release release;
        best_walks(arcs, horizon, start, v, kept, python_monitor());
    }
    return py::make_tuple(values, table);
}

template <class Weight>
void bind_weights(py::module_& m) {
    m.def(
        "mean_cycles", &mean_cycles<Weight>, py::arg("ptr").noconvert(), py::arg("to").noconvert(),
        py::arg("weight").noconvert(), py::arg("by_karp"), py::arg("gain_slack"),
        py::arg("potential_slack"), py::arg("most"),
        "(policy, cycle of each vertex, reference and level of each cycle, potentials, iterations,"
        " converged); the potentials of integers are halves of 128-bit integers.");
    m.def("walk_values", &walk_values<Weight>, py::arg("ptr").noconvert(),
          py::arg("to").noconvert(), py::arg("weight").noconvert(), py::arg("horizon"),
          py::arg("start"), py::arg("tables"),
          "(V_0 .. V_horizon at the start, the same at all vertices if asked for).");
}

inline void bind_cycle_means(py::module_& m) {
    bind_weights<double>(m);
    bind_weights<std::int64_t>(m);
    m.def("level_bounds", &level_bounds, py::arg("ptr").noconvert(), py::arg("to").noconvert(),
          py::arg("weight").noconvert(), py::arg("level").noconvert(),
          py::arg("potential").noconvert(), py::arg("levels"),
          "(whether no arc leads to a higher level, an upper bound of w + h(to) - h(from) within "
          "each level).");
}

}  // namespace rlt
