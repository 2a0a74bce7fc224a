// The model with its states renumbered in an order to sweep them in, every row solved for its own
// state: with p_ss the chance to stay,
//     v(s) = r + discount (p_ss v(s) + sum p_j v(j))   is   v(s) = r' + sum p'_j v(j),
//     r' = r / (1 - discount p_ss),   p'_j = discount p_j / (1 - discount p_ss),   j other than s.
// One Gauss-Seidel sweep in the right order carries a reward as far as it reaches.
#pragma once

#include <cstdint>
#include <vector>

#include "model/view.hpp"
#include "solvers/policy_chain.hpp"

namespace rlt {

// States in the order of their distance, along rows backwards, from where most is to be earned:
// those with the largest one-step reward, then of what is left again.
std::vector<std::int32_t> backward_order(const ModelView& m);

struct Sweep {
    double change = 0.0;  // the largest; NaN where a value is not finite
    std::int64_t switched = 0;
};

class OrderedRows {
public:
    // order[i] is the state that is swept i-th.
    OrderedRows(const ModelView& m, double discount, std::vector<std::int32_t> order);

    std::int64_t size() const { return n_; }

    // A first value, no matter what there is: one sweep in which what comes later in the order
    // counts as staying. Along the way to where most is earned this is nearly right already.
    void begin(double* value);
    // One sweep v(s) <- max over rows of r' + p' v in place, backwards through the order if asked.
    // The policy follows; a row is left only for one that is better beyond rounding.
    Sweep improve(double* value, bool backwards);
    // out = r' + p' v - v of the rows last chosen. The largest magnitude, or NaN.
    double residual(const double* value, double* out) const;

    // I - P' of the rows last chosen.
    PolicyChain chain(double kept_fill) const;

    // Between the model's numbering and this one.
    void gather(const double* value, double* ordered) const;
    void scatter(const double* ordered, double* value) const;
    void chosen_rows(const ModelView& m, std::int64_t* rows) const;

private:
    std::int64_t n_;
    std::vector<std::int32_t> order_;
    std::vector<std::int64_t> first_;  // rows of position i: first_[i] .. first_[i+1]
    std::vector<std::int64_t> ptr_;
    std::vector<std::int32_t> col_;
    std::vector<double> prob_;
    std::vector<double> reward_;
    std::vector<std::int64_t> chosen_;
};

}  // namespace rlt
