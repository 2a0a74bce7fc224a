// The closed classes of a policy's chain, and which of them a state can reach.
//
// Components are numbered so that none leads to a larger number: gone through in that order, what a
// component leads to is known when it is its turn.
#pragma once

#include <cstdint>

#include "model/view.hpp"

namespace rlt {

// class_of[s]: the closed class that s is in, counted from 0 in the order of their smallest
// states, or -1; reaches[s]: the only closed class that s can reach, or -1 where there are
// several. Returns how many closed classes there are. The rows must not end.
std::int64_t closed_classes(const ModelView& m, const std::int64_t* rows, std::int64_t* class_of,
                            std::int64_t* reaches);

}  // namespace rlt
