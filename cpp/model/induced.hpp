// The Markov chain with rewards that a policy makes of a stationary model: one row a state.
#pragma once

#include "model/model.hpp"

namespace rlt {

// weight: one a row, the policy's probabilities; each state's are divided by their sum.
std::shared_ptr<const Model> induced_chain(const Model& model, const double* weight);

// The transitions of any storage as rows of columns and probabilities.
struct CsrArrays {
    Buffer<std::int64_t> row_ptr;
    Buffer<std::int32_t> col;
    Buffer<double> prob;
};
CsrArrays as_csr(const Model& model);

}  // namespace rlt
