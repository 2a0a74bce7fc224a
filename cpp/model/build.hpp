// From arrays as users have them to a canonical model. Rows are validated in one pass
// (read_rows.hpp) and then written in canonical form, or kept where they have it.
//
// A buffer without an owner is lent for the call only, and what is kept of it is copied; arrays
// that can never change are given with whatever keeps them alive.
#pragma once

#include <optional>

#include "model/model.hpp"

namespace rlt {

// What is common to all ways of giving a model. Rows are those of the full table
// (stage, state, action) unless `state` and `action` name them, in any order.
struct RawRows {
    std::int64_t n_states = 0;
    std::int64_t n_actions = 0;  // where rows are named, 0 is one more than the largest
    std::int64_t n_stages = 1;
    std::int64_t n_rows = 0;
    const std::int64_t* state = nullptr;   // stage*S + state of each row
    const std::int64_t* action = nullptr;  // not null if `state` is not
    Buffer<double> reward;                 // one a row; empty when outcome rewards are given
    Buffer<double> exit;                   // one a row, or empty: no row ends
    Buffer<double> exit_reward;            // one a row, or empty
};

struct RawCsr {
    Buffer<std::int64_t> row_ptr;
    bool pointers_ascend = false;  // true if it is known already
    Buffer<std::int32_t> col;
    Buffer<double> prob;
    Buffer<double> outcome_reward;  // like prob, or empty
};

struct RawDense {
    Buffer<double> prob;            // (n_rows, S)
    Buffer<double> outcome_reward;  // (n_rows, S), or empty
};

// Refuses a model without states or actions, and tables too large to be numbered.
void check_sizes(const RawRows& rows);

// Row pointers of 32 bits, which become 64 bits in memory of our own.
void give_pointers(RawCsr& csr, const std::int32_t* pointers, std::int64_t size);

std::shared_ptr<const Model> build_from_csr(RawRows rows, const RawCsr& csr);
std::shared_ptr<const Model> build_from_dense(RawRows rows, const RawDense& dense);

// The same transitions with other mean rewards, one a row.
std::shared_ptr<const Model> with_rewards(const Model& model, Buffer<double> reward);

}  // namespace rlt
