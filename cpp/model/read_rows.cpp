#include "model/read_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "support/double_double.hpp"

namespace rlt {

namespace {

constexpr double row_sum_tolerance = 1e-9;
// Below this a row's sum is off by rounding only, and sweeps need not correct for it.
constexpr double rounding_defect = 0x1.0p-46;

void check_finite(double x, const std::string& where) {
    if (!std::isfinite(x)) throw ModelFault(where + " is " + number(x) + "; it must be finite");
}

void check_probability(double p, const std::string& where) {
    if (std::isnan(p) || std::isinf(p))
        throw ModelFault(where + " is " + number(p) + "; a probability must be finite");
    if (p < 0.0)
        throw ModelFault(where + " is " + number(p) + "; a probability must be at least 0");
}

// Sum of one row and its exit, minus 1, accumulated without losing low-order bits.
class DefectSum {
public:
    explicit DefectSum(double exit) : sum_(two_sum(-1.0, exit)) {}
    void add(double p) {
        const DoubleDouble s = two_sum(sum_.high, p);
        sum_ = {s.high, sum_.low + s.low};
    }
    double value() const { return sum_.high + sum_.low; }

private:
    DoubleDouble sum_;
};

void finish_row(const Place& place, const RawRows& rows, std::int64_t row, std::int64_t nonzeros,
                const DefectSum& sum, double largest, Scan& scan) {
    const double exit = rows.exit.empty() ? 0.0 : rows.exit[row];
    const double delta = sum.value();
    if (!(std::abs(delta) <= row_sum_tolerance)) {
        std::string text = place.row(row) + " sums to " + number(1.0 + delta);
        if (exit != 0.0) text += " with its termination " + number(exit);
        throw ModelFault(text + "; a transition row must sum to 1 within 1e-9");
    }
    scan.defect[static_cast<std::size_t>(row)] = delta;
    scan.entries += nonzeros;
    scan.longest_row = std::max(scan.longest_row, nonzeros);
    scan.exact_sums = scan.exact_sums && delta == 0.0;
    scan.largest_defect = std::max(scan.largest_defect, std::abs(delta));
    scan.off_sums = scan.off_sums || std::abs(delta) > rounding_defect;
    scan.any_exit = scan.any_exit || exit != 0.0;
    const bool certain =
        (nonzeros == 1 && largest == 1.0 && exit == 0.0) || (nonzeros == 0 && exit == 1.0);
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
    std::int64_t key = rows.keys ? rows.keys[row] : row;
    const std::int64_t a = key % rows.n_actions;
    key /= rows.n_actions;
    const std::string pair = std::to_string(key % rows.n_states) + ", " + std::to_string(a);
    return rows.n_stages == 1 ? pair : std::to_string(key / rows.n_states) + ", " + pair;
}

std::string Place::state(std::int64_t s) const {
    std::string text = "state " + std::to_string(s % rows.n_states);
    if (rows.n_stages > 1) text += " at stage " + std::to_string(s / rows.n_states);
    return text;
}

void check_row_arrays(const Place& place, const RawRows& rows) {
    for (std::int64_t r = 0; r < rows.reward.size; ++r)
        if (!std::isfinite(rows.reward[r]))
            check_finite(rows.reward[r], "rewards[" + place.index(r) + "]");
    for (std::int64_t r = 0; r < rows.exit.size; ++r)
        if (!(rows.exit[r] >= 0.0 && rows.exit[r] <= 2.0))
            check_probability(rows.exit[r], "termination[" + place.index(r) + "]");
    for (std::int64_t r = 0; r < rows.exit_reward.size; ++r)
        if (!std::isfinite(rows.exit_reward[r]))
            check_finite(rows.exit_reward[r], "termination_rewards[" + place.index(r) + "]");
}

Scan scan_csr(const Place& place, const RawRows& rows, const RawCsr& csr) {
    Scan scan;
    scan.defect.resize(static_cast<std::size_t>(rows.n_rows));
    const std::int32_t* col = csr.col.data;
    const double* prob = csr.prob.data;
    const auto n = static_cast<std::uint64_t>(rows.n_states);
    for (std::int64_t r = 0; r < rows.n_rows; ++r) {
        DefectSum sum(rows.exit.empty() ? 0.0 : rows.exit[r]);
        std::int64_t zeros = 0;
        double largest = 0.0;
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
            largest = std::max(largest, p);
            sum.add(p);
        }
        if (wrong) refuse_entry(place, rows, csr, r);
        if (!csr.outcome_reward.empty())
            for (std::int64_t k = begin; k < end; ++k)
                if (!std::isfinite(csr.outcome_reward[k]))
                    check_finite(csr.outcome_reward[k], "next_state_rewards[" + place.index(r) +
                                                            ", " + std::to_string(col[k]) + "]");
        if (!ascending) refuse_duplicates(place, csr, r);
        scan.canonical = scan.canonical && ascending && zeros == 0;
        finish_row(place, rows, r, end - begin - zeros, sum, largest, scan);
    }
    return scan;
}

Scan scan_dense(const Place& place, const RawRows& rows, const RawDense& dense) {
    Scan scan;
    scan.defect.resize(static_cast<std::size_t>(rows.n_rows));
    for (std::int64_t r = 0; r < rows.n_rows; ++r) {
        DefectSum sum(rows.exit.empty() ? 0.0 : rows.exit[r]);
        std::int64_t nonzeros = 0;
        double largest = 0.0;
        const double* p = dense.prob.data + r * rows.n_states;
        for (std::int64_t j = 0; j < rows.n_states; ++j) {
            if (!(p[j] >= 0.0 && p[j] <= 2.0)) check_probability(p[j], place.entry(r, j));
            nonzeros += p[j] != 0.0;
            largest = std::max(largest, p[j]);
            sum.add(p[j]);
            if (!dense.outcome_reward.empty()) {
                const double x = dense.outcome_reward[r * rows.n_states + j];
                if (!std::isfinite(x))
                    check_finite(
                        x, "next_state_rewards[" + place.index(r) + ", " + std::to_string(j) + "]");
            }
        }
        finish_row(place, rows, r, nonzeros, sum, largest, scan);
    }
    return scan;
}

}  // namespace rlt
