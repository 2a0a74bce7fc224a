#include "model/read_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "model/array_checks.hpp"
#include "model/canonical_rows.hpp"
#include "model/row_defects.hpp"
#include "support/double_double.hpp"

namespace rlt {

namespace {

constexpr double row_sum_tolerance = 1e-9;
// What is read at once stays in the faster caches.
constexpr std::int64_t rows_at_once = 512, entries_at_once = 8192;

template <class Where>
void check_finite(double x, const Where& where) {
    if (!std::isfinite(x)) throw ModelFault(where() + " is " + number(x) + "; it must be finite");
}

void check_probability(double p, const std::string& where) {
    if (std::isnan(p) || std::isinf(p))
        throw ModelFault(where + " is " + number(p) + "; a probability must be finite");
    if (p < 0.0)
        throw ModelFault(where + " is " + number(p) + "; a probability must be at least 0");
}

template <class EachProbability>
[[noreturn]] void refuse_sum(const Place& place, std::int64_t row, double exit,
                             const EachProbability& each) {
    DoubleDouble sum = two_sum(-1.0, exit);
    each([&](double p) { sum = sum + p; });
    std::string text = place.row(row) + " sums to " + number(1.0 + sum.high);
    if (exit != 0.0) text += " with its termination " + number(exit);
    throw ModelFault(text + "; a transition row must sum to 1 within 1e-9");
}

// Keeps the defects of consecutive rows, from the first on that is not 0.
void keep_defects(const RawRows& rows, std::int64_t first, std::int64_t count, const double* delta,
                  double largest, Scan& scan) {
    scan.largest_defect = std::max(scan.largest_defect, largest);
    if (scan.largest_defect == 0.0) return;
    if (scan.defect.empty()) {
        scan.defect.resize(static_cast<std::size_t>(rows.n_rows));
        std::fill_n(scan.defect.begin(), first, 0.0);
    }
    std::copy_n(delta, count, scan.defect.begin() + first);
}

void finish_row(const RawRows& rows, std::int64_t row, std::int64_t nonzeros, double delta,
                Scan& scan) {
    const double exit = rows.exit.empty() ? 0.0 : rows.exit[row];
    keep_defects(rows, row, 1, &delta, std::abs(delta), scan);
    scan.entries += nonzeros;
    scan.longest_row = std::max(scan.longest_row, nonzeros);
    scan.any_exit = scan.any_exit || exit != 0.0;
    // All of a row of one term that sums to exactly 1 is that term.
    const bool certain = delta == 0.0 && (nonzeros == 0 || (nonzeros == 1 && exit == 0.0));
    scan.deterministic = scan.deterministic && certain;
}

// Only rows whose columns do not ascend can name a state twice.
void refuse_duplicates(const Place& place, const RawCsr& csr, std::int64_t row) {
    std::vector<std::int32_t> columns(csr.col.data + csr.row_ptr[row],
                                      csr.col.data + csr.row_ptr[row + 1]);
    std::sort(columns.begin(), columns.end());
    const auto twice = std::adjacent_find(columns.begin(), columns.end());
    if (twice != columns.end())
        throw ModelFault(place.row(row) + " names state " + std::to_string(*twice) +
                         " twice; add its probabilities up first");
}

// Names the entry of a row that is wrong.
[[noreturn]] void refuse_entry(const Place& place, const RawRows& rows, const RawCsr& csr,
                               std::int64_t row) {
    for (std::int64_t k = csr.row_ptr[row]; k < csr.row_ptr[row + 1]; ++k) {
        const std::int32_t j = csr.col[k];
        if (j < 0 || j >= rows.n_states)
            throw ModelFault(place.row(row) + " leads to state " + std::to_string(j) +
                             "; states are 0.." + std::to_string(rows.n_states - 1));
        check_probability(csr.prob[k], place.entry(row, j));
    }
    throw ModelFault(place.row(row) + " is not a distribution");
}

// Copies an array piece by piece, while what was read is still near; what comes with an owner stays
// where it is.
template <class T>
class Keeping {
public:
    explicit Keeping(const Buffer<T>& from) : from_(from) {}
    void up_to(std::int64_t end) {
        if (from_.owner) return;
        copy_.resize(static_cast<std::size_t>(from_.size));
        std::copy(from_.data + done_, from_.data + end, copy_.begin() + done_);
        done_ = end;
    }
    Buffer<T> all() {
        up_to(from_.size);
        return from_.owner ? from_ : Buffer<T>(std::move(copy_));
    }

private:
    Buffer<T> from_;
    Room<T> copy_;
    std::int64_t done_ = 0;
};

// Reads rows in canonical form; false if they are not, or if anything is wrong. With no more
// entries than rows, they might be certain outcomes, which are kept in another form.
bool read_canonical(const RawRows& rows, const RawCsr& csr, bool keep, Scan& scan) {
    if (csr.prob.size <= rows.n_rows) return false;
    if (!all_finite(csr.outcome_reward.data, csr.outcome_reward.size)) return false;
    scan.deterministic = false;
    scan.entries = csr.prob.size;
    keep = keep && !mostly_full(scan, rows.n_rows, rows.n_states);
    Keeping<std::int32_t> col(csr.col);
    Keeping<double> prob(csr.prob);
    double delta[rows_at_once];
    for (std::int64_t r = 0, count; r < rows.n_rows; r += count) {
        const std::int64_t* row_ptr = csr.row_ptr.data + r;
        count = std::min(rows_at_once, rows.n_rows - r);
        while (count > 4 && row_ptr[count] - row_ptr[0] > entries_at_once) count /= 2;
        const double* exit = rows.exit.empty() ? nullptr : rows.exit.data + r;
        const RowsSeen seen = read_canonical_rows(
            {row_ptr, count, csr.col.data, csr.prob.data, exit}, rows.n_states, delta);
        if (!(seen.in_form && seen.largest_defect <= row_sum_tolerance)) return false;
        if (keep) {
            col.up_to(row_ptr[count]);
            prob.up_to(row_ptr[count]);
        }
        scan.longest_row = std::max(scan.longest_row, seen.longest);
        keep_defects(rows, r, count, delta, seen.largest_defect, scan);
    }
    for (std::int64_t r = 0; r < rows.exit.size && !scan.any_exit; ++r)
        scan.any_exit = rows.exit[r] != 0.0;
    if (keep) {
        scan.col = col.all();
        scan.prob = prob.all();
    }
    return true;
}

}  // namespace

std::string number(double x) {
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", x);
    double back = 0.0;
    for (int digits = 1; digits < 17; ++digits) {
        char shorter[40];
        std::snprintf(shorter, sizeof shorter, "%.*g", digits, x);
        if (std::sscanf(shorter, "%lf", &back) == 1 && back == x) return shorter;
    }
    return text;
}

std::string Place::index(std::int64_t row) const {
    const std::int64_t s = rows.state ? rows.state[row] : row / rows.n_actions;
    const std::int64_t a = rows.state ? rows.action[row] : row % rows.n_actions;
    const std::string pair = std::to_string(s % rows.n_states) + ", " + std::to_string(a);
    return rows.n_stages == 1 ? pair : std::to_string(s / rows.n_states) + ", " + pair;
}

std::string Place::state(std::int64_t s) const {
    std::string text = "state " + std::to_string(s % rows.n_states);
    if (rows.n_stages > 1) text += " at stage " + std::to_string(s / rows.n_states);
    return text;
}

void check_row_arrays(const Place& place, const RawRows& rows) {
    if (!all_finite(rows.reward.data, rows.reward.size))
        for (std::int64_t r = 0; r < rows.reward.size; ++r)
            check_finite(rows.reward[r], [&] { return "rewards[" + place.index(r) + "]"; });
    for (std::int64_t r = 0; r < rows.exit.size; ++r)
        if (!(rows.exit[r] >= 0.0 && rows.exit[r] <= 2.0))
            check_probability(rows.exit[r], "termination[" + place.index(r) + "]");
    for (std::int64_t r = 0; r < rows.exit_reward.size; ++r)
        check_finite(rows.exit_reward[r],
                     [&] { return "termination_rewards[" + place.index(r) + "]"; });
}

void check_pointers(const RawCsr& csr) {
    const Buffer<std::int64_t>& row_ptr = csr.row_ptr;
    const bool in_order = csr.pointers_ascend || ascend(row_ptr.data, row_ptr.size);
    if (!in_order || row_ptr[0] != 0 || row_ptr[row_ptr.size - 1] != csr.col.size)
        throw ModelFault("row_ptr must ascend from 0 to the number of entries");
}

Scan scan_csr(const Place& place, const RawRows& rows, const RawCsr& csr, bool keep) {
    Scan fast, scan;
    if (read_canonical(rows, csr, keep, fast)) return fast;
    const std::int32_t* col = csr.col.data;
    const double* prob = csr.prob.data;
    const auto n = static_cast<std::uint64_t>(rows.n_states);
    for (std::int64_t r = 0; r < rows.n_rows; ++r) {
        const double exit = rows.exit.empty() ? 0.0 : rows.exit[r];
        DefectSum sum;
        sum.add(exit);
        std::int64_t zeros = 0;
        std::int32_t previous = -1;
        bool ascending = true, wrong = false;
        const std::int64_t begin = csr.row_ptr[r], end = csr.row_ptr[r + 1];
        for (std::int64_t k = begin; k < end; ++k) {
            const std::int32_t j = col[k];
            const double p = prob[k];
            wrong |= !(static_cast<std::uint64_t>(static_cast<std::int64_t>(j)) < n) |
                     !(p >= 0.0 && p <= 2.0);
            ascending &= j > previous;
            previous = j;
            zeros += p == 0.0;
            sum.add(p);
        }
        if (wrong) refuse_entry(place, rows, csr, r);
        for (std::int64_t k = begin; k < end && !csr.outcome_reward.empty(); ++k)
            check_finite(csr.outcome_reward[k], [&] {
                return "next_state_rewards[" + place.index(r) + ", " + std::to_string(col[k]) + "]";
            });
        if (!ascending) refuse_duplicates(place, csr, r);
        scan.canonical = scan.canonical && ascending && zeros == 0;
        if (!(std::abs(sum.value()) <= row_sum_tolerance))
            refuse_sum(place, r, exit,
                       [&](auto&& add) { std::for_each(prob + begin, prob + end, add); });
        finish_row(rows, r, end - begin - zeros, sum.value(), scan);
    }
    return scan;
}

Scan scan_dense(const Place& place, const RawRows& rows, const RawDense& dense, bool keep) {
    Scan scan;
    const std::int64_t n = rows.n_states;
    Keeping<double> prob(dense.prob);
    for (std::int64_t r = 0; r < rows.n_rows; ++r) {
        const double exit = rows.exit.empty() ? 0.0 : rows.exit[r];
        const double* p = dense.prob.data + r * n;
        const DenseRowSeen seen = dense_row_defect(p, n, exit);
        const bool sums = std::abs(seen.delta) <= row_sum_tolerance;
        if (seen.signs || !sums)
            for (std::int64_t j = 0; j < n; ++j)
                if (!(p[j] >= 0.0 && p[j] <= 2.0)) check_probability(p[j], place.entry(r, j));
        if (!dense.outcome_reward.empty() && !all_finite(dense.outcome_reward.data + r * n, n))
            for (std::int64_t j = 0; j < n; ++j)
                check_finite(dense.outcome_reward[r * n + j], [&] {
                    return "next_state_rewards[" + place.index(r) + ", " + std::to_string(j) + "]";
                });
        if (!sums) refuse_sum(place, r, exit, [&](auto&& add) { std::for_each(p, p + n, add); });
        finish_row(rows, r, n - seen.zeros, seen.delta, scan);
        if (keep && mostly_full(scan, r + 1, n)) prob.up_to(r * n + n);
    }
    if (keep && mostly_full(scan, rows.n_rows, n)) scan.prob = prob.all();
    return scan;
}

}  // namespace rlt
