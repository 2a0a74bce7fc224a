#include "simulate/row_sampler.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/double_double.hpp"
#include "support/parallel.hpp"

namespace rlt {

namespace {

constexpr std::uint64_t whole = std::numeric_limits<std::uint64_t>::max();
constexpr Word128 cell = Word128{1} << 64;

struct Scratch {
    std::vector<double> probability;
    std::vector<Word128> share;  // n p / sigma, in parts of 2^-64 of a cell
    std::vector<std::int32_t> outcome;
    std::vector<std::int32_t> low, high;  // outcomes with less than a cell, and with more
};

// A whole number within 1 of 2^64 n p / sigma, the nearest one unless that is about half way
// between two: q is the quotient in doubles, and what it misses is found in double-double.
Word128 share_of(double p, double n, DoubleDouble sigma) {
    const double q = n * p / sigma.high;
    const DoubleDouble missing = two_prod(n, p) + (-q) * sigma;
    const double scaled = q * 0x1.0p64, below = std::floor(scaled);
    const double rest = (scaled - below) + missing.high / sigma.high * 0x1.0p64;
    return static_cast<Word128>(below) +
           static_cast<Word128>(static_cast<std::int64_t>(std::floor(rest + 0.5)));
}

template <class Rows>
void fill_row(const Rows& rows, std::int64_t row, RowSampler::Cell* cells, Scratch& x) {
    x.probability.clear();
    x.outcome.clear();
    DoubleDouble sigma;
    const auto add = [&](std::int32_t outcome, double p) {
        x.outcome.push_back(outcome);
        x.probability.push_back(p);
        sigma = sigma + p;
    };
    rows.each(row, add);
    if (const double p = rows.exit(row); p > 0.0) add(ended, p);
    const auto n = static_cast<std::int32_t>(x.probability.size());
    x.share.clear();
    Word128 left_over = cell * static_cast<Word128>(n);  // modulo 2^128: it may be below 0
    for (const double p : x.probability) {
        x.share.push_back(share_of(p, n, sigma));
        left_over -= x.share.back();
    }
    *std::max_element(x.share.begin(), x.share.end()) += left_over;
    x.low.clear();
    x.high.clear();
    for (std::int32_t i = 0; i < n; ++i)
        (x.share[static_cast<std::size_t>(i)] < cell ? x.low : x.high).push_back(i);
    const auto outcome = [&](std::int32_t i) { return x.outcome[static_cast<std::size_t>(i)]; };
    while (!x.low.empty() && !x.high.empty()) {
        const std::int32_t small = x.low.back(), large = x.high.back();
        x.low.pop_back();
        const Word128 own = x.share[static_cast<std::size_t>(small)];
        cells[small] = {static_cast<std::uint64_t>(own), outcome(small), outcome(large)};
        Word128& left = x.share[static_cast<std::size_t>(large)];
        left -= cell - own;
        if (left < cell) {
            x.high.pop_back();
            x.low.push_back(large);
        }
    }
    // The shares that are left sum to as many cells as they are, so none is low, and each is one.
    for (const std::int32_t i : x.high) cells[i] = {whole, outcome(i), outcome(i)};
}

}  // namespace

RowSampler::RowSampler(const ModelView& m) : n_rows_(m.n_rows) {
    if (m.storage == Storage::deterministic) {
        next_ = m.col;
        return;
    }
    with_rows(m, [&](const auto& rows) {
        first_.resize(static_cast<std::size_t>(n_rows_) + 1, 0);
        const Blocks blocks = blocks_for(n_rows_, m.n_entries + n_rows_);
        parallel_blocks(blocks.count(), m.n_entries, [&](std::int64_t b) {
            for (std::int64_t r = blocks.begin(b); r < blocks.end(b); ++r) {
                std::int64_t n = rows.exit(r) > 0.0 ? 1 : 0;
                rows.each(r, [&](std::int32_t, double) { ++n; });
                first_[static_cast<std::size_t>(r) + 1] = n;
            }
        });
        for (std::size_t r = 1; r < first_.size(); ++r) first_[r] += first_[r - 1];
        cells_.resize(static_cast<std::size_t>(first_.back()));
        parallel_blocks(blocks.count(), 8 * m.n_entries, [&](std::int64_t b) {
            Scratch scratch;
            for (std::int64_t r = blocks.begin(b); r < blocks.end(b); ++r)
                fill_row(rows, r, cells_.data() + first_[static_cast<std::size_t>(r)], scratch);
        });
    });
}

}  // namespace rlt
