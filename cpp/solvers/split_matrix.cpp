#include "solvers/split_matrix.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "solvers/few_entries.hpp"

namespace rlt {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// What an entry of a loop costs, and the loop itself, in entries that lie in a row.
constexpr std::int64_t looped_entry = 2, loop = 32;

}  // namespace

SparseRows SparseRows::transposed() const {
    const std::size_t n = ptr.size() - 1;
    SparseRows out;
    out.ptr.assign(n + 1, 0);
    for (const std::int32_t j : col) ++out.ptr[at(j) + 1];
    for (std::size_t j = 0; j < n; ++j) out.ptr[j + 1] += out.ptr[j];
    Room<std::int64_t> next(out.ptr.begin(), out.ptr.end() - 1);
    out.col.resize(col.size());
    out.value.resize(col.size());
    for (std::size_t i = 0; i < n; ++i)
        for (auto k = at(ptr[i]); k < at(ptr[i + 1]); ++k) {
            const auto to = at(next[at(col[k])]++);
            out.col[to] = static_cast<std::int32_t>(i);
            out.value[to] = value[k];
        }
    return out;
}

// Always inlined where the width is known.
RLT_INLINED inline void Triangle::fill_row(const MatrixRows& rows, std::int32_t i,
                                           std::int64_t from, std::int64_t step,
                                           std::int64_t length, std::int64_t width) {
    const std::size_t last = (at(i) + 1) * at(width) - 1;
    for (std::int64_t k = 0; k < width; ++k) {
        // No branch: it would be mispredicted.
        const bool there = k < length;
        const auto entry = at(there ? from + k * step : 0);
        const std::int32_t col = rows.col[entry];
        col_[last - at(k)] = there ? col : i;
        value_[last - at(k)] = rows.factor * kept_if(there, rows.value[entry]);
    }
}

void Triangle::assign(const MatrixRows& rows, const std::int64_t* nearest, Side side) {
    n_ = static_cast<std::int32_t>(rows.n);
    const auto length_of = [&](std::int64_t i, std::int64_t from) {
        return side == Side::below ? from + 1 - rows.begin(i) : rows.end(i) - from;
    };
    // Entry 0 of a row is the one nearest to the diagonal, the next ones are `step` away.
    const std::int64_t step = side == Side::below ? -1 : 1;
    std::array<std::int64_t, most_width + 1> rows_of{}, entries_of{};  // by their length
    for (std::int64_t i = 0; i < n_; ++i) {
        const std::int64_t length = length_of(i, nearest[i]);
        const auto kind = at(std::min<std::int64_t>(length, most_width + 1));
        if (kind == 0) continue;
        ++rows_of[kind - 1];
        entries_of[kind - 1] += length;
    }
    std::int64_t least = INT64_MAX, longer = 0, entries = 0;
    for (int w = most_width; w >= 0; --w) {
        longer += rows_of[at(w)];
        entries += entries_of[at(w)];
        const std::int64_t cost =
            w * rows.n + looped_entry * (entries - w * longer) + loop * longer;
        if (cost > least) continue;
        least = cost;
        width_ = w;
    }
    col_.resize(at(n_) * at(width_));
    value_.resize(at(n_) * at(width_));
    long_row_.assign(1, -1);
    rest_ptr_.assign(1, 0);
    rest_col_.clear();
    rest_value_.clear();
    with_width([&](auto width) {
        for (std::int32_t i = 0; i < n_; ++i) {
            const std::int64_t from = nearest[i];
            const std::int64_t length = length_of(i, from);
            fill_row(rows, i, from, step, length, width());
            if (length > width()) add_rest(rows, i, from, step, length);
        }
    });
    long_row_.push_back(n_);
}

void Triangle::replace(const MatrixRows& rows, const Room<std::int32_t>& which,
                       const std::int64_t* nearest, Side side) {
    const bool is_below = side == Side::below;
    const std::int64_t step = is_below ? -1 : 1;
    const auto long_row = std::exchange(long_row_, Room<std::int32_t>(1, -1));
    const auto rest_ptr = std::exchange(rest_ptr_, Room<std::size_t>(1, 0));
    const auto rest_col = std::exchange(rest_col_, {});
    const auto rest_value = std::exchange(rest_value_, {});
    std::size_t old = 1;
    const auto keep_up_to = [&](std::int32_t row) {
        for (; old + 1 < long_row.size() && long_row[old] < row; ++old) {
            for (auto k = rest_ptr[old - 1]; k < rest_ptr[old]; ++k) {
                rest_col_.push_back(rest_col[k]);
                rest_value_.push_back(rest_value[k]);
            }
            long_row_.push_back(long_row[old]);
            rest_ptr_.push_back(rest_col_.size());
        }
    };
    for (const std::int32_t i : which) {
        const std::int64_t from = nearest[i];
        const std::int64_t length = is_below ? from + 1 - rows.begin(i) : rows.end(i) - from;
        fill_row(rows, i, from, step, length, width_);
        keep_up_to(i);
        if (long_row[old] == i) ++old;
        if (length > width_) add_rest(rows, i, from, step, length);
    }
    keep_up_to(n_);
    long_row_.push_back(n_);
}

void Triangle::add_rest(const MatrixRows& rows, std::int32_t i, std::int64_t from,
                        std::int64_t step, std::int64_t length) {
    for (std::int64_t k = length; k-- > width_;) {
        rest_col_.push_back(rows.col[from + k * step]);
        rest_value_.push_back(rows.factor * rows.value[from + k * step]);
    }
    long_row_.push_back(i);
    rest_ptr_.push_back(rest_col_.size());
}

double Triangle::less_rest(std::size_t which, double sum, double scale, const double* x) const {
    const std::int32_t* col = rest_col_.data();
    const double* value = rest_value_.data();
    std::size_t k = rest_ptr_[which - 1];
    const std::size_t end = rest_ptr_[which];
    double sums[4] = {};  // at once they hide the latency of addition
    for (; k + 3 < end; k += 4)
        for (std::size_t j = 0; j < 4; ++j) sums[j] += value[k + j] * x[col[k + j]];
    for (; k < end; ++k) sums[0] += value[k] * x[col[k]];
    return sum - scale * ((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

double largest_or_nan(const double* x, std::int64_t n) {
    double largest = 0.0, doubt = 0.0;
    for (std::int64_t i = 0; i < n; ++i) {
        largest = std::max(largest, std::abs(x[i]));
        doubt += x[i] - x[i];
    }
    return largest + doubt;
}

void SplitMatrix::split_row(const MatrixRows& rows, std::int64_t i, std::int64_t left,
                            std::int64_t right, double own) {
    left_[at(i)] = left;
    right_[at(i)] = right;
    diagonal[at(i)] = rows.unit + rows.factor * own;
    inverse_pivot[at(i)] = 1.0 / diagonal[at(i)];
}

void SplitMatrix::split_row(const MatrixRows& rows, std::int64_t i) {
    const std::int64_t end = rows.end(i);
    std::int64_t k =
        std::lower_bound(rows.col + rows.begin(i), rows.col + end, static_cast<std::int32_t>(i)) -
        rows.col;
    const std::int64_t left = k - 1;
    double own = 0.0;
    for (; k < end && rows.col[k] == i; ++k) own += rows.value[k];
    split_row(rows, i, left, k, own);
}

void SplitMatrix::replace(const MatrixRows& rows, const Room<std::int32_t>& which) {
    for (const std::int32_t i : which) split_row(rows, i);
    below.replace(rows, which, left_.data(), Triangle::Side::below);
    above.replace(rows, which, right_.data(), Triangle::Side::above);
}

void SplitMatrix::assign(const MatrixRows& rows) {
    for (auto* ends : {&left_, &right_}) ends->resize(at(rows.n));
    diagonal.resize(at(rows.n));
    inverse_pivot.resize(at(rows.n));
    if (!rows.ptr && rows.stride <= most_few_entries)
        with_few(rows.stride, [&](auto width) {
            for (std::int64_t i = 0; i < rows.n; ++i) {
                const std::int64_t begin = rows.begin(i);
                std::int64_t left = begin - 1, right = begin;
                double own = 0.0;
                for (std::int64_t k = begin; k < begin + width(); ++k) {
                    const std::int32_t j = rows.col[k];
                    left += j < i;
                    right += j <= i;
                    own += kept_if(j == i, rows.value[k]);
                }
                split_row(rows, i, left, right, own);
            }
        });
    else
        for (std::int64_t i = 0; i < rows.n; ++i) split_row(rows, i);
    below.assign(rows, left_.data(), Triangle::Side::below);
    above.assign(rows, right_.data(), Triangle::Side::above);
}

bool SplitMatrix::keep_fill(double share) {
    Room<double> passed_on(diagonal.size());  // sums right of the diagonal; then over the pivot
    above.ascending([&](std::int32_t i, const auto& row) RLT_INLINED {
        double sum = 0.0;
        row.each([&](std::int32_t, double x) RLT_INLINED { sum += x; });
        passed_on[at(i)] = sum;
    });
    bool sound = true;
    below.ascending([&](std::int32_t i, const auto& less) RLT_INLINED {
        const double pivot = less(diagonal[at(i)], 1.0, passed_on.data());
        const double inverse = 1.0 / pivot;
        // Not so where rounding has eaten the row's sum.
        sound &= pivot >= (1.0 - 0x1.0p-30) * -passed_on[at(i)] && pivot > 0.0 &&
                 inverse - inverse == 0.0;
        inverse_pivot[at(i)] = inverse;
        passed_on[at(i)] *= share * inverse;
    });
    return sound;
}

SparseRows SplitMatrix::rows() const {
    SparseRows out;
    const auto n = diagonal.size();
    Room<std::int64_t> counts(n + 1, 1);
    const auto count = [&](std::int32_t i, const auto& row) {
        row.each([&](std::int32_t, double x) { counts[at(i)] += x != 0.0; });
    };
    below.ascending(count);
    above.ascending(count);
    out.ptr.resize(n + 1);
    for (std::size_t i = 0; i < n; ++i) out.ptr[i + 1] = out.ptr[i] + counts[i];
    out.col.resize(at(out.ptr[n]));
    out.value.resize(at(out.ptr[n]));
    // From both ends: each triangle has what is farthest from the diagonal first.
    below.ascending([&](std::int32_t i, const auto& row) {
        auto to = at(out.ptr[at(i)]);
        row.each([&](std::int32_t j, double x) {
            if (x == 0.0) return;
            out.col[to] = j;
            out.value[to++] = x;
        });
        out.col[to] = i;
        out.value[to] = diagonal[at(i)];
    });
    above.ascending([&](std::int32_t i, const auto& row) {
        auto to = at(out.ptr[at(i) + 1]);
        row.each([&](std::int32_t j, double x) {
            if (x == 0.0) return;
            out.col[--to] = j;
            out.value[to] = x;
        });
    });
    return out;
}

double SplitMatrix::residual(const double* b, const double* x, double* r) const {
    double largest = 0.0, doubt = 0.0;
    below.ascending([&](std::int32_t i, const auto& less)
                        RLT_INLINED { r[i] = less(b[i] - diagonal[at(i)] * x[i], 1.0, x); });
    above.ascending([&](std::int32_t i, const auto& less) RLT_INLINED {
        r[i] = less(r[i], 1.0, x);
        largest = std::max(largest, std::abs(r[i]));
        doubt += r[i] - r[i];
    });
    return largest + doubt;
}

}  // namespace rlt
