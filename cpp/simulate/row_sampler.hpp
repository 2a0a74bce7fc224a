// Draws from the rows of a model, each from one word of 64 bits.
//
// Alias tables (Walker 1977; Vose 1991): the n outcomes of a row, ending among them, share n cells
// of equal chance, each split between the outcome it belongs to and one other. A word w chooses
// cell floor(w n / 2^64), and the rest, w n mod 2^64, one side of the split.
// Shares of cells are whole numbers of 2^-64 that sum to n exactly, so that the table is made
// without rounding: of a row with p_1..p_n and sum sigma, outcome i has n p_i / sigma cells to
// within 2^-64, and the largest also what the others' rounding left. Outcome i, with parts of k
// cells, is drawn with probability p_i / sigma, off by less than (k + 1) 2^-64: each part has its
// share of the words to within one. What has probability 0 is never drawn.
#pragma once

#include <cstdint>
#include <vector>

#include "model/view.hpp"
#include "support/philox.hpp"

namespace rlt {

inline constexpr std::int32_t ended = -1;

class RowSampler {
public:
    struct Cell {
        std::uint64_t split;  // `here` below it, `there` from it on
        std::int32_t here, there;
    };

    // Deterministic models need no table; their view must outlive the sampler.
    explicit RowSampler(const ModelView& m);

    // Next state, or `ended`.
    std::int32_t draw(std::int64_t row, std::uint64_t word) const {
        if (next_) return next_[row];
        const std::int64_t first = first_[static_cast<std::size_t>(row)];
        const auto cells =
            static_cast<std::uint64_t>(first_[static_cast<std::size_t>(row) + 1] - first);
        const Word128 product = static_cast<Word128>(word) * cells;
        const Cell& cell =
            cells_[static_cast<std::size_t>(first) + static_cast<std::size_t>(product >> 64)];
        return static_cast<std::uint64_t>(product) < cell.split ? cell.here : cell.there;
    }

    std::int64_t n_rows() const { return n_rows_; }
    const std::vector<std::int64_t>& first() const { return first_; }
    const std::vector<Cell>& cells() const { return cells_; }

private:
    std::int64_t n_rows_;
    const std::int32_t* next_ = nullptr;
    std::vector<std::int64_t> first_;
    std::vector<Cell> cells_;
};

}  // namespace rlt
