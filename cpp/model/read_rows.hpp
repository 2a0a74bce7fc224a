// Reading what users give: rows are checked, and everything that decides how the model is stored
// is learnt, in one pass. Rows in the canonical form that a model is kept in are read many at once;
// if there is anything else about them, they are read again with care, row by row.
#pragma once

#include <cstdint>
#include <string>

#include "model/build.hpp"
#include "support/room.hpp"

namespace rlt {

// Names places in the user's terms: `transitions[2, 0, 1]`.
struct Place {
    const RawRows& rows;

    std::string index(std::int64_t row) const;
    std::string row(std::int64_t r) const { return "row transitions[" + index(r) + "]"; }
    std::string entry(std::int64_t r, std::int64_t next) const {
        return "transitions[" + index(r) + ", " + std::to_string(next) + "]";
    }
    std::string state(std::int64_t s) const;
};

// What the first pass learns, row by row.
struct Scan {
    Room<double> defect;       // empty while every row sums to exactly 1
    std::int64_t entries = 0;  // non-zero probabilities
    std::int64_t longest_row = 0;
    bool canonical = true;      // columns ascend, no explicit zeros
    bool deterministic = true;  // every row is one certain outcome
    double largest_defect = 0.0;
    bool any_exit = false;
    // The entries as the model keeps them, where these are those given; else empty.
    Buffer<std::int32_t> col;
    Buffer<double> prob;

    // Some row is off by more than the rounding of its sum, and sweeps must correct for it.
    bool off_sums() const { return largest_defect > 0x1.0p-46; }
};

// The shortest decimal that is read back as x.
std::string number(double x);

// Refuses pointers that do not ascend from 0 to the number of entries.
void check_pointers(const RawCsr& csr);

// Rows whose table is more than half full are kept as a table.
inline bool mostly_full(const Scan& scan, std::int64_t n_rows, std::int64_t n_states) {
    return !scan.deterministic && 2 * scan.entries > n_rows * n_states;
}

// With `keep`, the rows are those of the model in their order, and its entries are kept meanwhile.
Scan scan_csr(const Place& place, const RawRows& rows, const RawCsr& csr, bool keep);
Scan scan_dense(const Place& place, const RawRows& rows, const RawDense& dense, bool keep);

// Refuses rewards and endings that are not finite, or no probabilities.
void check_row_arrays(const Place& place, const RawRows& rows);

}  // namespace rlt
