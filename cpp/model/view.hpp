// What every kernel sees of a tabular model: rows of probabilities in one of three storages.
//
// Rows (state, action) are sorted; those of state s at stage h are
// state_ptr[h*stage_stride + s] .. state_ptr[h*stage_stride + s + 1]. A stationary model has
// stage_stride 0. Ending is a probability of the row (`exit`), never a state: what has ended
// is worth 0 from then on.
//
// The exact meaning of a row is itself divided by its exact sum sigma = sum p + exit;
// `defect` holds delta = sigma - 1, correct to u|delta| + n^2 u^2.
#pragma once

#include <cmath>
#include <cstdint>

#include "support/dense_dot.hpp"

namespace rlt {

enum class Storage : int { csr, dense, deterministic };

struct ModelView {
    std::int64_t n_states = 0;
    std::int64_t n_actions = 0;
    std::int64_t n_stages = 1;
    std::int64_t n_rows = 0;
    std::int64_t n_entries = 0;
    std::int64_t longest_row = 0;
    std::int64_t stage_stride = 0;
    const std::int64_t* state_ptr = nullptr;
    const std::int32_t* action = nullptr;
    const double* reward = nullptr;
    const double* exit = nullptr;    // null when no row ends, or when storage is deterministic
    const double* defect = nullptr;  // null when every row sums to exactly 1
    Storage storage = Storage::csr;
    const std::int64_t* row_ptr = nullptr;  // csr
    const std::int32_t* col = nullptr;      // csr: columns; deterministic: next state or -1
    const double* prob = nullptr;           // csr: values; dense: (n_rows, n_states)
    bool has_exits = false;
    bool rows_need_correction = false;  // some |defect| is beyond rounding of the sum
    double largest_defect = 0.0;        // in magnitude

    std::int64_t row_begin(std::int64_t stage, std::int64_t state) const {
        return state_ptr[stage * stage_stride + state];
    }
    std::int64_t row_end(std::int64_t stage, std::int64_t state) const {
        return state_ptr[stage * stage_stride + state + 1];
    }
    std::int64_t stage_rows(std::int64_t stage) const {
        return row_end(stage, n_states - 1) - row_begin(stage, 0);
    }
    // Operations of one sweep over one stage, for choosing how to share it out.
    std::int64_t sweep_work() const { return (n_entries + 2 * n_rows) / n_stages; }
};

struct CsrRows {
    const std::int64_t* row_ptr;
    const std::int32_t* col;
    const double* prob;
    const double* exits;

    explicit CsrRows(const ModelView& m)
        : row_ptr(m.row_ptr), col(m.col), prob(m.prob), exits(m.exit) {}

    std::int64_t terms(std::int64_t row) const { return row_ptr[row + 1] - row_ptr[row]; }
    double exit(std::int64_t row) const { return exits ? exits[row] : 0.0; }

    double dot(std::int64_t row, const double* value) const {
        return sum<false>(row_ptr[row], row_ptr[row + 1], value);
    }

    // The same, to the bit, where row after row is read: what lies ahead is asked for meanwhile,
    // and short rows, whose lengths nobody can guess, are summed without a branch on them.
    double next_dot(std::int64_t row, const double* value) const {
        const std::int64_t k = row_ptr[row], end = row_ptr[row + 1];
        ask_ahead(k);
        if (end - k > 3) return sum<true>(k, end, value);
        static constexpr double nothing = 0.0;
        static constexpr std::int32_t nowhere = 0;
        double term[3];
        for (std::int64_t i = 0; i < 3; ++i) {
            const bool there = i < end - k;
            const double* p = there ? prob + k + i : &nothing;
            const std::int32_t* j = there ? col + k + i : &nowhere;
            const double* v = there ? value + *j : &nothing;
            term[i] = *p * *v;
        }
        return ((0.0 + term[0]) + term[2]) + (0.0 + term[1]);
    }

    template <class F>
    void each(std::int64_t row, F&& f) const {
        for (std::int64_t k = row_ptr[row]; k < row_ptr[row + 1]; ++k) f(col[k], prob[k]);
    }

private:
    void ask_ahead(std::int64_t k) const {
        constexpr std::int64_t ahead = 256;  // entries, of rows to come
        __builtin_prefetch(prob + k + ahead);
        __builtin_prefetch(col + k + ahead);
    }

    template <bool in_order>
    double sum(std::int64_t k, std::int64_t end, const double* value) const {
        double even = 0.0, odd = 0.0;
        if constexpr (in_order) ask_ahead(k + 8);  // a line of `prob` is eight
        if (end - k >= 16) {                       // four sums at once hide the latency of addition
            double third = 0.0, fourth = 0.0;
            for (; k + 3 < end; k += 4) {
                if constexpr (in_order) ask_ahead(k + 16);
                even += prob[k] * value[col[k]];
                odd += prob[k + 1] * value[col[k + 1]];
                third += prob[k + 2] * value[col[k + 2]];
                fourth += prob[k + 3] * value[col[k + 3]];
            }
            even += third;
            odd += fourth;
        }
        for (; k + 1 < end; k += 2) {
            even += prob[k] * value[col[k]];
            odd += prob[k + 1] * value[col[k + 1]];
        }
        if (k < end) even += prob[k] * value[col[k]];
        return even + odd;
    }
};

struct DenseRows {
    std::int64_t n;
    const double* prob;
    const double* exits;

    explicit DenseRows(const ModelView& m) : n(m.n_states), prob(m.prob), exits(m.exit) {}

    std::int64_t terms(std::int64_t) const { return n; }
    double exit(std::int64_t row) const { return exits ? exits[row] : 0.0; }
    double dot(std::int64_t row, const double* value) const {
        return dense_dot(prob + row * n, value, n);
    }
    double next_dot(std::int64_t row, const double* value) const { return dot(row, value); }

    template <class F>
    void each(std::int64_t row, F&& f) const {
        const double* p = prob + row * n;
        for (std::int64_t j = 0; j < n; ++j)
            if (p[j] != 0.0) f(static_cast<std::int32_t>(j), p[j]);
    }
};

struct DeterministicRows {
    const std::int32_t* next;

    explicit DeterministicRows(const ModelView& m) : next(m.col) {}

    std::int64_t terms(std::int64_t row) const { return next[row] >= 0 ? 1 : 0; }
    double exit(std::int64_t row) const { return next[row] >= 0 ? 0.0 : 1.0; }
    double dot(std::int64_t row, const double* value) const {
        return next[row] >= 0 ? value[next[row]] : 0.0;
    }
    double next_dot(std::int64_t row, const double* value) const { return dot(row, value); }

    template <class F>
    void each(std::int64_t row, F&& f) const {
        if (next[row] >= 0) f(next[row], 1.0);
    }
};

// Calls f(rows) with the accessor of the model's storage.
template <class F>
decltype(auto) with_rows(const ModelView& m, F&& f) {
    switch (m.storage) {
        case Storage::dense:
            return f(DenseRows(m));
        case Storage::deterministic:
            return f(DeterministicRows(m));
        default:
            return f(CsrRows(m));
    }
}

// r + discount * (P value) of one row, corrected to the row's exact meaning when rows are off.
inline double backup_of_dot(const ModelView& m, std::int64_t row, double discount, double dot) {
    if (m.rows_need_correction) dot -= m.defect[row] * dot;
    return m.reward[row] + discount * dot;
}

template <class Rows>
inline double backup(const ModelView& m, const Rows& rows, std::int64_t row, double discount,
                     const double* value) {
    return backup_of_dot(m, row, discount, rows.dot(row, value));
}

// The same where row after row is read.
template <class Rows>
inline double next_backup(const ModelView& m, const Rows& rows, std::int64_t row, double discount,
                          const double* value) {
    return backup_of_dot(m, row, discount, rows.next_dot(row, value));
}

}  // namespace rlt
