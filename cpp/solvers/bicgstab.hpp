// BiCGSTAB (van der Vorst 1992) on A x = b, A = L + A_D + U, between two factors C1 = D + L and
// C2 = D^-1 (D + U): what is iterated on is C1^-1 A C2^-1. With y = C2^-1 p,
//     A y = C1 y + D p + (A_D - 2 D) y,   so   C1^-1 A C2^-1 p = y + C1^-1 (D p + (A_D - 2 D) y):
// one pass over each triangle gives the product and the preconditioning (Eisenstat 1981).
#pragma once

#include <cstdint>
#include <vector>

#include "solvers/split_matrix.hpp"
#include "support/monitor.hpp"
#include "support/room.hpp"

namespace rlt {

struct LinearSolve {
    std::int64_t iterations = 0;
    double relative_residual = 0.0;  // max|b - A x| / max|b|
};

// The vectors of an iteration, for those who solve often.
struct KrylovRoom {
    Room<double> r, shadow, p, v, t, y, w, z, best;
};

// Starts from the x given; stops at the relative residual wanted, at what rounding of x alone
// leaves, after `most` iterations, or without progress, and reports what was reached.
LinearSolve bicgstab(const SplitMatrix& a, const double* b, double* x, double wanted,
                     std::int64_t most, KrylovRoom& room, const Monitor& monitor);

}  // namespace rlt
