#include "simulate/row_sampler.hpp"

#include <limits>

#include "support/parallel.hpp"

namespace rlt {

namespace {

constexpr std::uint64_t whole = std::numeric_limits<std::uint64_t>::max();

struct Scratch {
    std::vector<double> share;  // of a cell: n p / sigma
    std::vector<std::int32_t> outcome;
    std::vector<std::int32_t> low, high;  // outcomes with less than a cell, and with more
};

template <class Rows>
void fill_row(const Rows& rows, std::int64_t row, RowSampler::Cell* cells, Scratch& x) {
    x.share.clear();
    x.outcome.clear();
    double sum = 0.0;
    const auto add = [&](std::int32_t outcome, double p) {
        x.outcome.push_back(outcome);
        x.share.push_back(p);
        sum += p;
    };
    rows.each(row, add);
    if (const double p = rows.exit(row); p > 0.0) add(ended, p);
    const auto n = static_cast<std::int32_t>(x.share.size());
    x.low.clear();
    x.high.clear();
    for (std::int32_t i = 0; i < n; ++i) {
        double& share = x.share[static_cast<std::size_t>(i)];
        share = share / sum * n;
        (share < 1.0 ? x.low : x.high).push_back(i);
    }
    const auto outcome = [&](std::int32_t i) { return x.outcome[static_cast<std::size_t>(i)]; };
    while (!x.low.empty() && !x.high.empty()) {
        const std::int32_t small = x.low.back(), large = x.high.back();
        x.low.pop_back();
        const double own = x.share[static_cast<std::size_t>(small)];
        cells[small] = {static_cast<std::uint64_t>(own * 0x1.0p64), outcome(small), outcome(large)};
        double& left = x.share[static_cast<std::size_t>(large)];
        left -= 1.0 - own;
        if (left < 1.0) {
            x.high.pop_back();
            x.low.push_back(large);
        }
    }
    // What is left has the share 1, up to rounding.
    for (const auto* rest : {&x.low, &x.high})
        for (const std::int32_t i : *rest) cells[i] = {whole, outcome(i), outcome(i)};
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
