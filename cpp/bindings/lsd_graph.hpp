// Last-switch-dependent bandits: the graph of joint states.
#pragma once

#include "bindings/lsd_arms.hpp"
#include "topics/lsd_bandits/product_graph.hpp"

namespace rlt {

template <class Payoff>
Tuple<py::array_t<std::int32_t>, py::array_t<Payoff>> lsd_product_graph(
    const Array<std::int32_t>& sizes, const Array<std::int32_t>& play_next,
    const Array<std::int32_t>& rest_next, const Array<Payoff>& payoffs,
    const Array<std::uint8_t>& plays) {
    const auto arms = arms_of(sizes, play_next, rest_next, payoffs);
    if (plays.ndim() != 2 || plays.shape(1) != arms.count())
        throw std::invalid_argument("plays needs a column for each arm");
    const std::int64_t actions = plays.shape(0);
    const std::int64_t states = arms.joint_states();
    py::array_t<std::int32_t> successor({states, actions});
    py::array_t<Payoff> reward({states, actions});
    std::int32_t* to = successor.mutable_data();
    Payoff* paid = reward.mutable_data();
    const auto played = span_of(plays);
    {
        const py::gil_scoped_release nogil;
        lsd::product_graph(arms, played, actions, to, paid);
    }
    return py::make_tuple(successor, reward);
}

inline void bind_lsd_graph(py::module_& m) {
    m.def("lsd_product_graph", &lsd_product_graph<double>, py::arg("sizes").noconvert(),
          py::arg("play_next").noconvert(), py::arg("rest_next").noconvert(),
          py::arg("payoffs").noconvert(), py::arg("plays").noconvert(),
          py::doc("Successor and reward of every joint state and action."));
    m.def("lsd_product_graph", &lsd_product_graph<std::int64_t>, py::arg("sizes").noconvert(),
          py::arg("play_next").noconvert(), py::arg("rest_next").noconvert(),
          py::arg("payoffs").noconvert(), py::arg("plays").noconvert());
}

}  // namespace rlt
