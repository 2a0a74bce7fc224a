// Maximal end components: sets of states, and of rows at them, that a policy can stay in for
// ever and in which it can reach every state from every other (de Alfaro, Formal verification of
// probabilistic systems, 1997). A row that may end is in none.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.hpp"

namespace rlt {

struct EndComponents {
    std::vector<std::int64_t> label;   // of each state; -1 in none; numbered by least state
    std::vector<std::uint8_t> inside;  // whether a row keeps to the component of its state
};

// Of the model whose rows are those in `keep`. Components are split and peeled until nothing
// leaves them; a part is looked at again only where it has changed.
EndComponents end_components(const Graph& g, const std::vector<std::uint8_t>& keep);

}  // namespace rlt
