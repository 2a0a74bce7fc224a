// Maximum mean cycles of graphs from Python, and their best walks.
#pragma once

#include <cmath>

#include "bindings/arrays.hpp"
#include "graph/components.hpp"
#include "graph/howard.hpp"
#include "graph/karp.hpp"
#include "graph/walks.hpp"

namespace rlt {

inline void need_weight(double w, std::int64_t a) {
    if (!std::isfinite(w))
        throw std::invalid_argument("the reward of arc " + std::to_string(a) + " is not finite");
}

inline void need_weight(std::int64_t w, std::int64_t a) {
    if (w > largest_weight || w < -largest_weight)
        throw std::invalid_argument("the reward of arc " + std::to_string(a) +
                                    " is beyond 2^58, which is too large");
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

using Longs = py::array_t<std::int64_t>;
using Ints = py::array_t<std::int32_t>;
using Halves = Tuple<Longs, py::array_t<std::uint64_t>>;

// Integers of 128 bits as their upper and lower halves.
inline Halves halves(const std::vector<Int128>& x) {
    std::vector<std::int64_t> high(x.size());
    std::vector<std::uint64_t> low(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        high[i] = static_cast<std::int64_t>(x[i] >> 64);
        low[i] = static_cast<std::uint64_t>(x[i]);
    }
    return py::make_tuple(hand_over(std::move(high)), hand_over(std::move(low)));
}

inline Tuple<Longs, Ints, Ints, Ints, Halves, std::int64_t> mean_cycles(
    const Array<std::int64_t>& ptr, const Array<std::int32_t>& to,
    const Array<std::int64_t>& weight, bool by_karp) {
    const Arcs<std::int64_t> arcs = arcs_of(ptr, to, weight);
    MeanCycles found;
    {
        const py::gil_scoped_release release;
        if (by_karp) {
            const Graph graph({arcs.ptr, arcs.ptr + arcs.vertices + 1}, arcs.to);
            const std::vector<std::uint8_t> all(static_cast<std::size_t>(graph.n_rows), 1);
            found = karp_cycles(arcs, components(graph, all), python_monitor());
        } else {
            found = howard_cycles(arcs, python_monitor());
        }
    }
    return py::make_tuple(hand_over(std::move(found.policy)), hand_over(std::move(found.cycle)),
                          hand_over(std::move(found.reference)), hand_over(std::move(found.level)),
                          halves(found.potential), found.iterations);
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
        if (Int128{largest} * horizon > std::numeric_limits<std::int64_t>::max())
            throw std::invalid_argument("the horizon times the largest reward is beyond 2^63");
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
void bind_walks(py::module_& m) {
    m.def("walk_values", &walk_values<Weight>, py::arg("ptr").noconvert(),
          py::arg("to").noconvert(), py::arg("weight").noconvert(), py::arg("horizon"),
          py::arg("start"), py::arg("tables"),
          py::doc("(V_0 .. V_horizon at the start, the same at all vertices if asked for)."));
}

inline void bind_cycle_means(py::module_& m) {
    m.def("mean_cycles", &mean_cycles, py::arg("ptr").noconvert(), py::arg("to").noconvert(),
          py::arg("weight").noconvert(), py::arg("by_karp"),
          py::doc("(policy, cycle of each vertex, reference and level of each cycle, halves of "
                  "potentials, iterations)."));
    bind_walks<double>(m);
    bind_walks<std::int64_t>(m);
}

}  // namespace rlt
