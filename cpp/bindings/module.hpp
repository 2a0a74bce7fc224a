#pragma once

#include <pybind11/pybind11.h>

namespace rlt {

void bind_model(pybind11::module_& m);
void bind_solvers(pybind11::module_& m);
void bind_average(pybind11::module_& m);
void bind_graph(pybind11::module_& m);
void bind_planning(pybind11::module_& m);
void bind_simulate(pybind11::module_& m);
void bind_learning(pybind11::module_& m);
void bind_topics(pybind11::module_& m);

}  // namespace rlt
