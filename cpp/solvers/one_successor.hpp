// Equations of a policy under which every state leads to at most one other:
//
//     d_i x_i + a_i x_next(i) = b_i
//
// They are solved from the ends of paths backwards. Where a path closes instead, at i_0, i_1, ..,
// i_L = i_0, the first of its values follows from going round once,
//     x = c + q x,  c = sum_k b_k / d_k prod_{l < k} (-a_l / d_l),  q = prod_{l < L} (-a_l / d_l).
// No other method is as quick, and Krylov methods need as many steps as such a circle is long.
#pragma once

#include <cstdint>
#include <vector>

#include "solvers/split_matrix.hpp"

namespace rlt {

class OneSuccessor {
public:
    // Takes these equations; none, if there is a row with two entries off the diagonal.
    void assign(const MatrixRows& rows);
    bool empty() const { return next_.empty(); }
    // In place: b, then x, which is not finite where the equations are singular.
    void solve(double* x) const;

private:
    Room<std::int32_t> next_;  // its own number where a state leads nowhere else
    Room<double> diagonal_, beside_;
};

}  // namespace rlt
