#include "bindings/module.hpp"

#include "bindings/support.hpp"

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
    m.doc() = "The compiled core of rltheory. Its Python face is the package around it.";
    auto support = m.def_submodule("support", "Threads, instruction sets, random words.");
    auto model = m.def_submodule("model", "Validated tabular models.");
    auto solvers = m.def_submodule("solvers", "Sweeps, policy equations, certificates.");
    auto graph = m.def_submodule("graph", "Components, end components, reachability.");
    rlt::bind_support(support);
    rlt::bind_model(model);
    rlt::bind_solvers(solvers);
    rlt::bind_average(solvers);
    rlt::bind_graph(graph);
    auto planning = m.def_submodule("planning", "Regularised and robust planning.");
    rlt::bind_planning(planning);
    auto simulate = m.def_submodule("simulate", "Draws from models.");
    rlt::bind_simulate(simulate);
    auto learning = m.def_submodule("learning", "Loops of learners.");
    rlt::bind_learning(learning);
    auto topics = m.def_submodule("topics", "What one topic alone needs.");
    rlt::bind_topics(topics);
}
