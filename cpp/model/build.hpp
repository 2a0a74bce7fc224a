// From arrays as users have them to a canonical model. Rows are validated in one pass
// (read_rows.hpp) and then written in canonical form, or kept where they have it.
#pragma once

#include <optional>

#include "model/model.hpp"

namespace rlt {

// What is common to all ways of giving a model. Rows are those of the full table
// (stage, state, action) unless `keys` names them: key = (stage*S + state)*A + action.
struct RawRows {
    std::int64_t n_states = 0;
    std::int64_t n_actions = 0;
    std::int64_t n_stages = 1;
    std::int64_t n_rows = 0;
    const std::int64_t* keys = nullptr;
    Buffer<double> reward;       // one a row; empty when outcome rewards are given
    Buffer<double> exit;         // one a row, or empty: no row ends
    Buffer<double> exit_reward;  // one a row, or empty
};

struct RawCsr {
    Buffer<std::int64_t> row_ptr;
    Buffer<std::int32_t> col;
    Buffer<double> prob;
    Buffer<double> outcome_reward;  // like prob, or empty
    bool may_alias = false;         // the caller's arrays can never change
};

struct RawDense {
    Buffer<double> prob;            // (n_rows, S)
    Buffer<double> outcome_reward;  // (n_rows, S), or empty
    bool may_alias = false;
};

// Refuses a model without states or actions, and tables too large to be numbered.
void check_sizes(const RawRows& rows);

std::shared_ptr<const Model> build_from_csr(const RawRows& rows, const RawCsr& csr);
std::shared_ptr<const Model> build_from_dense(const RawRows& rows, const RawDense& dense);

// The same transitions with other mean rewards, one a row.
std::shared_ptr<const Model> with_rewards(const Model& model, Buffer<double> reward);

}  // namespace rlt
