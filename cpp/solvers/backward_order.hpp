// An order to sweep states in: by distance, along rows backwards, from where values come from. If
// from most states no way leads round, these come first, each after all it leads to, so that one
// sweep has their values.
#pragma once

#include <cstdint>

#include "model/view.hpp"
#include "support/room.hpp"

namespace rlt {

// Where values come from: where rows may end, or without such, the largest one-step rewards; then
// what is left again.
enum class Origin { rewards, exits };
Room<std::int32_t> backward_order(const ModelView& m, Origin origin);

}  // namespace rlt
