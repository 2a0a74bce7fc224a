// The linear equations of one policy: (I - discount P_pi) x = b and their transpose.
//
// Small chains are factored densely (LU with partial pivoting). Large ones are solved by
// BiCGSTAB (van der Vorst 1992) preconditioned by (D + L) D^-1 (D + U), where L and U are the
// matrix's own parts below and above the diagonal: an incomplete LU of which only the pivots D are
// new. I - discount P is a non-singular M-matrix, for which such factors exist (Meijerink and van
// der Vorst 1977).
#pragma once

#include <cstdint>
#include <vector>

#include "model/view.hpp"
#include "support/monitor.hpp"

namespace rlt {

struct LinearSolve {
    std::int64_t iterations = 0;
    double relative_residual = 0.0;  // max|b - A x| / max|b|
};

// Computes in the caller's float mode.
class PolicyChain {
public:
    static constexpr std::int64_t dense_limit = 160;

    // Of a matrix with all diagonal entries, columns ascending.
    PolicyChain(std::vector<std::int64_t> ptr, std::vector<std::int32_t> col,
                std::vector<double> value);
    // With targets (one flag a state): moves into a target count as ends, so that at discount 1
    // x is what is summed up until a target is reached, or the end. At discount 1 every state must
    // reach one of these; where one does not the matrix is singular, and x is not finite, or
    // leaves a residual.
    PolicyChain(const ModelView& m, double discount, const std::int64_t* rows,
                const bool* targets = nullptr);

    // Starts from the x given; stops at the relative residual wanted or after `most`
    // iterations, and reports what was reached.
    LinearSolve solve(const double* b, double* x, double wanted, std::int64_t most, bool transposed,
                      const Monitor& monitor) const;

    std::int64_t size() const { return n_; }
    const std::vector<std::int64_t>& row_ptr() const { return ptr_; }
    const std::vector<std::int32_t>& columns() const { return col_; }
    const std::vector<double>& values() const { return value_; }

private:
    void factor();
    void factor_dense();
    void factor_incomplete();
    void multiply(const double* x, double* out, bool transposed) const;
    void precondition(const double* x, double* out, bool transposed) const;
    void solve_dense(double* x, bool transposed) const;
    double residual(const double* b, const double* x, double* r, bool transposed) const;

    std::int64_t n_ = 0;
    std::vector<std::int64_t> ptr_;
    std::vector<std::int32_t> col_;
    std::vector<double> value_;  // of I - discount P, columns ascending, diagonal present
    std::vector<double> lu_;     // dense factors
    std::vector<std::int32_t> pivot_;
    std::vector<double> inverse_pivot_;  // of the incomplete factors; empty if there are none
};

}  // namespace rlt
