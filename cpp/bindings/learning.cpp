#include "bindings/arrays.hpp"
#include "bindings/module.hpp"

namespace rlt {

void bind_learning(py::module_&) {}

}  // namespace rlt
