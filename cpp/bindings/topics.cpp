#include "bindings/lsd_cyclic.hpp"
#include "bindings/lsd_graph.hpp"
#include "bindings/lsd_learner.hpp"
#include "bindings/lsd_schedule.hpp"
#include "bindings/lsd_worst_case.hpp"
#include "bindings/module.hpp"

namespace rlt {

void bind_topics(py::module_& m) {
    bind_lsd_graph(m);
    bind_lsd_schedule(m);
    bind_lsd_cyclic(m);
    bind_lsd_learner(m);
    bind_lsd_worst_case(m);
}

}  // namespace rlt
