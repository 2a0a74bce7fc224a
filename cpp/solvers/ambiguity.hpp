// What an adversary may make of each row of one stage, and the row that is worst for a value.
//
//     l1          all laws within L1 distance radius of the row
//     intervals   all laws between low and high, entry by entry
//
// The end of the episode is one more outcome, number S, of value 0. As the row means its entries
// divided by their sum sigma, so do low and high: everything here is scaled to sum to sigma.
//
// Worst laws (Iyengar 2005; Nilim and El Ghaoui 2005), with outcomes sorted by value: under l1,
// min(radius/2, what is not there yet) goes to the outcome of least value, taken from the largest
// values downward; under intervals, the mass that low leaves is filled in from the least value
// upward. The best ones are the worst for the negated value.
#pragma once

#include <cstdint>
#include <vector>

#include "model/view.hpp"
#include "support/buffer.hpp"
#include "support/double_double.hpp"

namespace rlt {

struct Ambiguity {
    enum class Kind { l1, intervals };

    Kind kind = Kind::l1;
    std::int64_t n_states = 0;
    bool support_only = false;     // l1: mass stays on the outcomes that the row has
    Buffer<double> radius;         // l1: one a row of the stage, in [0, 2]
    Buffer<std::int64_t> row_ptr;  // intervals: their outcomes, ascending in each row
    Buffer<std::int32_t> col;      // 0..S-1, and S for the end
    Buffer<double> low;
    Buffer<double> high;

    // Outcomes that the worst law of a row can have at most.
    std::int64_t most_outcomes(const ModelView& m) const;
    // Whether the intervals of a row name all outcomes 0..outcomes-1, entry j outcome j.
    bool is_full(std::int64_t index, std::int64_t outcomes) const;
    // Operations of one sweep over a stage.
    std::int64_t sweep_work(const ModelView& m) const;
};

// A value as the adversary sees it, negated where it helps: prepared once a sweep.
class Outlook {
public:
    Outlook(const ModelView& m, const Ambiguity& ambiguity);

    // sign is 1 (the adversary harms) or -1 (it helps).
    void look(const double* value, double sign);

    double sign = 1.0;
    std::vector<double> value;        // S + 1 entries
    std::vector<std::int32_t> order;  // where rows may be full: outcomes by descending value
    double least = 0.0;

private:
    bool ends_;    // the end is an outcome
    bool sorted_;  // some rows are walked in the order of values
};

// An outcome, by its place in the row, and what the row gives to it.
struct Entry {
    double value;
    double mass;
    std::int32_t at;
};

// Room for the outcomes of a row, and the place of the last one that the row lost mass from, a
// guess for the next time. The guess saves time and changes nothing but last bits.
struct RowMemory {
    std::vector<Entry>& entries;
    std::int32_t& last;
};

// r + discount * (value of the worst law) of one row, in doubles.
template <class Rows>
double robust_backup(const ModelView& m, const Rows& rows, const Ambiguity& ambiguity,
                     std::int64_t row, std::int64_t index, double discount, const Outlook& outlook,
                     RowMemory memory);

// A witness as the adversary sees it: head + tail times the sign, the end last.
struct PreciseOutlook {
    double sign = 1.0;
    std::vector<DoubleDouble> value;
    std::int32_t lowest = 0;  // of the outcomes that rows without a limited support have
    double largest = 0.0;     // max |head|

    PreciseOutlook(const ModelView& m, const double* head, const double* tail, double sign);
};

struct Mass {
    std::int32_t outcome;
    DoubleDouble mass;
    DoubleDouble value;
};

}  // namespace rlt
