// A validated model in canonical form, immutable, with the buffers that its view points into.
#pragma once

#include <memory>
#include <stdexcept>

#include "model/view.hpp"
#include "support/buffer.hpp"

namespace rlt {

// What was given is not a model; the message names the place.
struct ModelFault : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

struct Model {
    Buffer<std::int64_t> state_ptr;
    Buffer<std::int32_t> action;
    Buffer<double> reward;
    Buffer<double> exit;
    Buffer<double> defect;
    Buffer<std::int64_t> row_ptr;
    Buffer<std::int32_t> col;
    Buffer<double> prob;
    Buffer<double> outcome_reward;  // like prob (deterministic: one a row), or empty
    Buffer<double> exit_reward;     // one a row, or empty
    ModelView view;

    // Points the view's arrays at the buffers; counts and storage are set by the builder.
    void bind() {
        view.state_ptr = state_ptr.data;
        view.action = action.data;
        view.reward = reward.data;
        view.exit = exit.empty() ? nullptr : exit.data;
        view.defect = defect.empty() ? nullptr : defect.data;
        view.row_ptr = row_ptr.data;
        view.col = col.data;
        view.prob = prob.data;
    }
};

}  // namespace rlt
