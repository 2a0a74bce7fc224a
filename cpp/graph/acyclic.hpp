// States from which no way leads round.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/view.hpp"
#include "support/room.hpp"

namespace rlt {

// For each state, the states with a row that leads there, each once, in ascending order; and how
// many others its own rows lead to.
struct WaysIn {
    Room<std::int64_t> ptr;
    Room<std::int32_t> from;
    Room<std::int32_t> others;
};
WaysIn ways_in(const ModelView& m);

// The states from which no way leads round, but in one state, each after all it leads to (Kahn
// 1962). Takes time for these and the ways into them. Afterwards `others` does not count them.
Room<std::int32_t> acyclic_part(WaysIn& p);

// Whether these are so many of the states that an order should begin with them.
inline bool mostly(std::size_t acyclic, std::int64_t states) {
    return 2 * static_cast<std::int64_t>(acyclic) > states;
}

// Whether most states are such. Quick where every state leads on.
bool mostly_acyclic(const ModelView& m);

}  // namespace rlt
