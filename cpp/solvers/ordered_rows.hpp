// The model with its states renumbered in an order to sweep them in, every row solved for its own
// state: with p_ss the chance to stay,
//     v(s) = r + discount (p_ss v(s) + sum p_j v(j))   is   v(s) = r' + sum p'_j v(j),
//     r' = r / (1 - discount p_ss),   p'_j = discount p_j / (1 - discount p_ss),   j other than s.
// At discount 1 a row that only stays is worth infinity if it pays, and else -infinity: it never
// ends.
// One Gauss-Seidel sweep in the right order carries a reward as far as it reaches.
#pragma once

#include <cstdint>
#include <vector>

#include "model/view.hpp"
#include "solvers/policy_chain.hpp"
#include "support/room.hpp"

namespace rlt {

struct Sweep {
    double change = 0.0;  // the largest
    std::int64_t switched = 0;
};

class OrderedRows {
public:
    // order[i] is the state that is swept i-th. `rows` holds the policy to start from, and is where
    // it is kept; at discount 1 it must end for sure. The model and `rows` must outlive this.
    OrderedRows(const ModelView& m, double discount, Room<std::int32_t> order, std::int64_t* rows);

    std::int64_t size() const { return m_.n_states; }
    // Whether the order is nearly that of the model or its reverse, and the model large: its rows
    // are then swept as they are, and values are in its numbering.
    bool in_place() const { return first_.empty(); }

    // Chooses a first policy, using `value` as room: one sweep in which what comes later in the
    // order counts as staying. Along the way to where most is earned that is nearly right already.
    void begin(double* value);
    // One sweep v(s) <- max over rows of r' + p' v in place, backwards through the order if asked.
    // The policy follows; a row is left only for one that is better beyond rounding.
    Sweep improve(double* value, bool backwards);
    // out = r' + p' v - v of the rows last chosen, or that times 1 - discount p_ss. The largest
    // magnitude, or NaN.
    double residual(const double* value, double* out) const;
    // The equations of the rows last chosen, whose right-hand sides are such residuals: as a view
    // of these rows, or if they are in place, as a chain.
    MatrixRows equations() const;
    PolicyChain chain() const { return PolicyChain(m_, discount_, chosen_); }

    // Between the model's numbering and this one.
    void gather(const double* value, double* ordered) const;
    void scatter(const double* ordered, double* value) const;
    // Leaves the model's rows last chosen in `rows`.
    void finish();

private:
    // Copy rows with `position` of each state: those filled up without branches, and any.
    template <int width>
    void copy_few(const Room<std::int32_t>& position);
    void copy_rows(const Room<std::int32_t>& position);
    template <class Backup>
    Sweep sweep(double* value, bool backwards, const Backup& backup_of);

    const ModelView& m_;
    double discount_;
    std::int64_t* chosen_;
    bool reversed_ = false;
    Room<std::int32_t> order_;
    Room<std::int64_t> first_;  // rows of position i: first_[i] .. first_[i+1]
    // Entries of row r: begin(r) .. begin(r+1), columns ascending; where width_ is not 0, so many,
    // filled up by zeros on the diagonal.
    std::int64_t begin(std::int64_t r) const {
        return width_ > 0 ? r * width_ : ptr_[static_cast<std::size_t>(r)];
    }
    std::int64_t width_ = 0;
    Room<std::int64_t> ptr_;
    Room<std::int32_t> col_;
    Room<double> prob_;
    Room<double> reward_;
};

}  // namespace rlt
