// The linear equations of one policy: (I - discount P_pi) x = b and their transpose.
//
// Small chains are factored densely (LU with partial pivoting), and those of one successor a state
// are solved along their paths. Other large ones are solved by BiCGSTAB
// preconditioned by (D + L) D^-1 (D + U), where L and U are the matrix's own parts below and above
// the diagonal: an incomplete LU of which only the pivots D are new. Fill is not just dropped: most
// of it is subtracted from the diagonal (relaxed incomplete LU: Axelsson and Lindskog 1986). With
// all of it (Gustafsson 1978) the factors keep the row sums, and so act like
// the matrix on slowly varying errors, which plain dropping leaves for last; the rest keeps pivots
// of nearly singular chains apart from rounding.
//
// Why it exists. Off the diagonal I - discount P is not positive, and its row sums are at least
// 1 - discount. What elimination adds off the diagonal is <= 0 too, so that a row's sum falls by
// none of what is subtracted from the diagonal, and rises where fill is forgotten: each pivot is at
// least the sizes of the entries right of it, and 1 - discount, together. (Without fill kept:
// Meijerink and van der Vorst 1977.) Rounding can spoil that next to discount 1: then all fill is
// dropped, and if that does not help either, or rows are so wide that it takes too long, D is the
// matrix's own diagonal.
#pragma once

#include <cstdint>
#include <vector>

#include "model/view.hpp"
#include "solvers/bicgstab.hpp"
#include "solvers/one_successor.hpp"
#include "solvers/split_matrix.hpp"
#include "support/monitor.hpp"

namespace rlt {

// Computes in the caller's float mode.
class PolicyChain {
public:
    static constexpr std::int64_t dense_limit = 160;
    // Shares of dropped fill taken from the diagonal. More is better where errors are smooth
    // (queues halve their steps), and much worse on some models close to discount 1 (grid worlds
    // with endings at 0.99999 need ten times as many); 1 leaves pivots of the size of 1 - discount.
    // Measured.
    static constexpr double bold_fill = 0.92, careful_fill = 0.65;
    // In an order in which there is little fill: quick to find, since of what falls on the diagonal
    // as much is taken.
    static constexpr double ordered_fill = 0.98;

    // Takes these equations instead, in the room of the last ones.
    PolicyChain() = default;
    void assign(const MatrixRows& rows, double kept_fill);
    // Takes some rows anew, given in ascending order, with this last share; where that is not
    // possible all have to be assigned.
    bool replace(const MatrixRows& rows, const Room<std::int32_t>& which);
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
    // The same, not transposed, in the room of earlier solutions.
    LinearSolve solve(const double* b, double* x, double wanted, std::int64_t most,
                      KrylovRoom& room, const Monitor& monitor) const;

    std::int64_t size() const { return matrix_.size(); }
    SparseRows rows() const { return matrix_.rows(); }

private:
    void factor_dense();
    void solve_dense(double* x, bool transposed) const;
    LinearSolve solve_by_factors(const SplitMatrix& matrix, const double* b, double* x,
                                 bool transposed) const;

    SplitMatrix matrix_;  // I - discount P
    Room<double> lu_;     // dense factors
    Room<std::int32_t> pivot_;
    OneSuccessor paths_;
};

}  // namespace rlt
