// Bellman backups that pass over the rows which cannot be the best of their state.
//
// When a row's backup q was last computed at a value v, its backup at a later value w is at most
// q + discount * max(w - v) (the increase clipped at 0 where rows may end). A sum of these
// increases since the first sweep, the clock, makes one number per row a bound that stays valid
// without being touched: stored = q - clock(then), bound = stored + clock(now). A row whose bound
// is below the best backup of its state by more than rounding could explain is not read. What comes
// out is, bit for bit, what a sweep over every row gives (except that the backup of a first value
// that is constant is formed without its row). This is action elimination (MacQueen 1967), undone
// by itself when values rise again. Proof: docs/theory/planning.md, rows passed over.
#pragma once

#include <cstdint>
#include <vector>

#include "model/view.hpp"
#include "solvers/backups.hpp"
#include "solvers/policy_rows.hpp"
#include "support/room.hpp"

namespace rlt {

// Bound of |computed - exact| for a residual r + discount (P value) - own of this model, with
// |value|, |own| <= largest (T1 of docs/theory/certificates.md, and what backup() leaves
// uncorrected); 0 where every number is 0. Where it is finite nothing has overflowed.
double residual_error(const ModelView& m, double discount, double largest_reward, double largest);

double largest_magnitude(const double* x, std::int64_t n);

class LazyBackups {
public:
    // Of a stationary model, which must outlive this.
    LazyBackups(const ModelView& m, double discount);

    // out = T value, rows = the lowest best rows; extremes of the change out - value. After the
    // first sweep `rows` is read as a guess, and must be what `policy` follows where that is given.
    Extremes sweep(const double* value, double* out, std::int64_t* rows,
                   const PolicyRows* policy = nullptr);

    double largest_reward() const { return largest_reward_; }

private:
    double advance(const double* value);
    template <class Rows>
    Extremes first(const Rows& rows, const double* value, double* out, std::int64_t* best);
    template <class Rows, class Guess>
    Extremes later(const Rows& rows, const Guess& guess_backup, double slack, const double* value,
                   double* out, std::int64_t* best);

    const ModelView& m_;
    double discount_;
    double largest_reward_;
    Room<double> stored_;  // of each row: its last backup, less the clock then
    Room<double> last_;    // the value of the last sweep
    double clock_ = 0.0;
    double size_ = 0.0;  // largest |reward| + 2 |value| so far, and of the clock
    double sweeps_ = 0.0;
};

}  // namespace rlt
