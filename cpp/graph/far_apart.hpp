// Whether news travels far in a model.
#pragma once

#include <cstdint>

#include "model/view.hpp"

namespace rlt {

// Whether the shortest way from state 0 to some other state has more than `steps` steps, as far as
// can be told by looking at no more than `most` states.
bool far_apart(const ModelView& m, std::int64_t steps, std::int64_t most);

}  // namespace rlt
