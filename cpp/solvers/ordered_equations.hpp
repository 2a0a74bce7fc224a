// The equations of the policy that ordered rows were last left with, in an order of their own.
//
// An incomplete factorisation forgets what elimination fills in, and that is the less, the more of
// a row lies below the diagonal. With values v of the policy, E[v(s')] - v(s) is
// ((1 - discount) v(s) - r(s)) / discount: under way to where most is earned, where r is below its
// average, values rise, and then fall back at once. So a state depends mostly on states of higher
// value, if these are how its chain moves most, and it is their order that is taken; or else the
// opposite one.
#pragma once

#include <cstdint>

#include "solvers/ordered_rows.hpp"
#include "solvers/policy_chain.hpp"
#include "support/monitor.hpp"
#include "support/room.hpp"

namespace rlt {

// States by value, largest first, those of (nearly) the same value in their present order.
Room<std::int32_t> descending_order(const double* value, std::int64_t n);

class OrderedEquations {
public:
    // Takes the equations of the rows now chosen, whose values are near those given; in the order
    // of the rows if there are none. `careful`: other factors did badly.
    void assign(const OrderedRows& rows, const double* value, bool careful);
    // x, from 0, to the relative residual wanted or after `most` iterations.
    LinearSolve solve(const double* b, double* x, double wanted, std::int64_t most,
                      const Monitor& monitor);

private:
    MatrixRows renumbered(const MatrixRows& rows) const;
    void renumber(const MatrixRows& rows);
    template <int width>
    void renumber_few(const MatrixRows& rows, std::int64_t s);
    // Where few rows changed: in the present order only these are taken anew, if there is room.
    bool replace(const MatrixRows& rows);

    PolicyChain chain_;
    KrylovRoom room_;
    Room<std::int32_t> order_, position_;  // none where the order is that of the rows
    Room<std::int64_t> taken_;             // the row of each
    Room<std::int64_t> ptr_;
    Room<std::int32_t> col_;
    Room<double> coefficient_;
    Room<double> b_, x_;
};

}  // namespace rlt
