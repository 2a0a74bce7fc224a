// Where rows are: by (stage, state, action), each state having at least one.
#pragma once

#include <cstdint>
#include <vector>

#include "model/model.hpp"
#include "model/read_rows.hpp"

namespace rlt {

// Sets the model's state_ptr and action, and n_actions where it is 0. Returns which row given is
// which row of the model, empty if they are in order already. Refuses pairs outside the model,
// repeated pairs, and states without a row.
std::vector<std::int64_t> order_rows(const Place& place, RawRows& rows, Model& model);

}  // namespace rlt
