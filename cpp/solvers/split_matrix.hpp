// A square sparse matrix as diagonal and triangles, in the form in which it is quickest to solve
// with the triangles.
//
// Rows of such matrices have few entries on each side of the diagonal, and not all the same number:
// a loop over them is mispredicted about once a row, which takes longer than its arithmetic. So a
// triangle has a width: that many entries of each row, filled up with zeros, lie one after another,
// and only what is left of longer rows, which are few, is looped over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "solvers/few_entries.hpp"
#include "support/inlined.hpp"
#include "support/room.hpp"

namespace rlt {

// A matrix that is `unit` times the identity plus `factor` times rows: those chosen, or all, of
// arrays of entries. Row r has ptr[r] .. ptr[r+1] or, without pointers, as many as all have, with
// columns ascending; there may be several on the diagonal.
struct MatrixRows {
    std::int64_t n = 0;
    const std::int64_t* ptr = nullptr;
    std::int64_t stride = 0;
    const std::int32_t* col = nullptr;
    const double* value = nullptr;
    const std::int64_t* chosen = nullptr;
    double unit = 0.0;
    double factor = 1.0;

    std::int64_t begin(std::int64_t i) const {
        const std::int64_t r = chosen ? chosen[i] : i;
        return ptr ? ptr[r] : r * stride;
    }
    std::int64_t end(std::int64_t i) const {
        const std::int64_t r = chosen ? chosen[i] : i;
        return ptr ? ptr[r + 1] : (r + 1) * stride;
    }
};

struct SparseRows {
    Room<std::int64_t> ptr{0};
    Room<std::int32_t> col;
    Room<double> value;

    SparseRows transposed() const;
    MatrixRows view() const {
        return {static_cast<std::int64_t>(ptr.size()) - 1, ptr.data(), 0, col.data(), value.data()};
    }
};

// The entries strictly on one side of the diagonal. Those nearest to it come last in a row: they
// meet a value just computed, and all else is then summed up already.
class Triangle {
public:
    enum class Side { below, above };

    // nearest[i] is where row i has its entry next to the diagonal, if any.
    void assign(const MatrixRows& rows, const std::int64_t* nearest, Side side);

    // Takes some rows anew, given in ascending order.
    void replace(const MatrixRows& rows, const Room<std::int32_t>& which,
                 const std::int64_t* nearest, Side side);

    // Calls f(i, less) for every row, where less(sum, scale, x) is sum minus scale times row i
    // times x. What fills up a row reads x[i], which must be finite.
    template <class F>
    [[gnu::always_inline]] void ascending(F&& f) const {
        with_width([&](auto width) RLT_INLINED {
            Row<width()> row(*this);
            std::size_t next = 1;
            for (std::int32_t i = 0; i < n_; ++i) {
                row.go_to(i, next);
                f(i, row);
                next += row.which_long != 0;
            }
        });
    }
    template <class F>
    [[gnu::always_inline]] void descending(F&& f) const {
        with_width([&](auto width) RLT_INLINED {
            Row<width()> row(*this);
            std::size_t next = long_row_.size() - 2;
            for (std::int32_t i = n_; i-- > 0;) {
                row.go_to(i, next);
                f(i, row);
                next -= row.which_long != 0;
            }
        });
    }

private:
    static constexpr auto most_width = static_cast<int>(most_few_entries);

    template <int width>
    struct Row {
        const Triangle& t;
        const std::int32_t *all_col, *all_long;
        const double* all_value;
        std::int32_t i = 0;
        std::size_t which_long = 0;  // 0: it is not

        explicit Row(const Triangle& triangle)
            : t(triangle),
              all_col(t.col_.data()),
              all_long(t.long_row_.data()),
              all_value(t.value_.data()) {}
        void go_to(std::int32_t row, std::size_t next) {
            i = row;
            which_long = all_long[next] == i ? next : 0;
        }
        [[gnu::always_inline]] double operator()(double sum, double scale, const double* x) const {
            if (which_long) [[unlikely]]
                sum = t.less_rest(which_long, sum, scale, x);
            const std::int32_t* col = all_col + std::ptrdiff_t{i} * width;
            const double* value = all_value + std::ptrdiff_t{i} * width;
            for (int w = 0; w < width; ++w) sum -= value[w] * scale * x[col[w]];
            return sum;
        }
        // Calls f(column, value), zeros that fill up the row among them.
        template <class F>
        void each(F&& f) const {
            if (which_long)
                for (auto k = t.rest_ptr_[which_long - 1]; k < t.rest_ptr_[which_long]; ++k)
                    f(t.rest_col_[k], t.rest_value_[k]);
            for (auto k = std::ptrdiff_t{i} * width; k < (std::ptrdiff_t{i} + 1) * width; ++k)
                f(t.col_[static_cast<std::size_t>(k)], t.value_[static_cast<std::size_t>(k)]);
        }
    };

    template <class F>
    [[gnu::always_inline]] void with_width(F&& f) const {
        if (width_ == 0) return f(std::integral_constant<int, 0>{});
        with_few(width_, std::forward<F>(f));
    }

    void fill_row(const MatrixRows& rows, std::int32_t i, std::int64_t from, std::int64_t step,
                  std::int64_t length, std::int64_t width);
    // The entries of a long row that are looped over, behind those of the rows before it.
    void add_rest(const MatrixRows& rows, std::int32_t i, std::int64_t from, std::int64_t step,
                  std::int64_t length);
    double less_rest(std::size_t which, double sum, double scale, const double* x) const;

    std::int32_t n_ = 0;
    int width_ = 0;
    Room<std::int32_t> col_;
    Room<double> value_;
    Room<std::int32_t> long_row_;  // between -1 and n
    Room<std::size_t> rest_ptr_;
    Room<std::int32_t> rest_col_;
    Room<double> rest_value_;
};

// The largest magnitude, or NaN where there is one.
double largest_or_nan(const double* x, std::int64_t n);

// A = below + diagonal + above, with pivots D of the factors (D + below) D^-1 (D + above).
struct SplitMatrix {
    // Pivots are those on the diagonal until there are better ones.
    void assign(const MatrixRows& rows);
    // Takes some rows anew, given in ascending order.
    void replace(const MatrixRows& rows, const Room<std::int32_t>& which);
    // Takes pivots from which this share of all that elimination fills in is subtracted: of all of
    // it the factors have the row sums of A. Whether they are as they should be.
    bool keep_fill(double share);
    // Frees what only the next assignment would use.
    void forget_bounds() { left_ = right_ = {}; }

    SparseRows rows() const;
    std::int64_t size() const { return static_cast<std::int64_t>(diagonal.size()); }
    // r = b - A x; the largest magnitude in it, or NaN.
    double residual(const double* b, const double* x, double* r) const;

    Triangle below, above;
    Room<double> diagonal;
    Room<double> inverse_pivot;

private:
    void split_row(const MatrixRows& rows, std::int64_t i);
    void split_row(const MatrixRows& rows, std::int64_t i, std::int64_t left, std::int64_t right,
                   double own);

    Room<std::int64_t> left_, right_;  // of the diagonal: where the next entries are
};

}  // namespace rlt
