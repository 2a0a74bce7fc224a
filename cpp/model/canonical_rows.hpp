// Rows in the canonical form that models are kept in, read many at once: that columns ascend and
// are states, that entries are above 0, and the defect of each row (row_defects.hpp).
//
// Columns are compared along the array, wherever rows begin. Where they do not ascend has to be
// where rows begin, as often; then the first and the last of a row say whether all are states.
#pragma once

#include <cstdint>

namespace rlt {

// Rows row_ptr[0] .. row_ptr[count] of arrays that have `row_ptr[count]` entries at least.
struct SomeRows {
    const std::int64_t* row_ptr;
    std::int64_t count;
    const std::int32_t* col;
    const double* prob;
    const double* exit;  // null if none ends
};

// What is found out about rows on the way. Where it is not that all are in form and that |delta| is
// small, something may be wrong with them, or they may have zeros.
struct RowsSeen {
    bool in_form = true;
    double largest_defect = 0.0;  // in magnitude; not a number if an entry is not
    std::int64_t longest = 0;
};

RowsSeen read_canonical_rows(const SomeRows& rows, std::int64_t n_states, double* delta);

}  // namespace rlt
