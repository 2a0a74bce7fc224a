// Modified policy iteration (Puterman and Shin 1978) with backups that pass over hopeless rows,
// from a value that may be constant. Leaves the last value, centred, with rows that are greedy for
// it up to rounding, and bounds of its residuals T v - v that hold in exact arithmetic: low for the
// rows, high for every row; not finite where something overflowed. Gives up, where `patience` is
// finite, when more than so many sweeps of a policy are left, or somewhat more the more rows there
// are to choose from, which other methods read again and again, and equations, which are tried
// where such methods are dear, are slow too; bounds are then infinite, and the value is that of a
// few sweeps of the rows. Where all chains are periodic with the same classes of states, rows are
// swept class after class: without that the span of changes, which what is above rests on, would
// not become smaller at all, or only as the discount makes it.
#pragma once

#include <cstdint>

#include "model/view.hpp"
#include "solvers/sweeps.hpp"
#include "support/monitor.hpp"

namespace rlt {

struct Improved {
    std::int64_t sweeps = 0;
    bool converged = false;
    bool exhausted = false;  // not converged, but what is left is rounding
    std::int64_t classes = 1;
    bool by_equations = false;  // more sweeps were left than patience, but few steps of equations
    double low = 0.0;
    double high = 0.0;
};
Improved modified_policy_iteration(const ModelView& m, double discount, Target target,
                                   double patience, double* value, std::int64_t* rows,
                                   const Monitor& monitor);

}  // namespace rlt
