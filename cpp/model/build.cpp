#include "model/build.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>

#include "support/double_double.hpp"
#include "support/float_mode.hpp"

namespace rlt {

namespace {

constexpr double row_sum_tolerance = 1e-9;
// Below this a row's sum is off by rounding only, and sweeps need not correct for it.
constexpr double rounding_defect = 0x1.0p-46;

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

// Names places in the user's terms: `transitions[2, 0, 1]`.
struct Place {
    const RawRows& rows;

    std::string index(std::int64_t row) const {
        std::int64_t key = rows.keys ? rows.keys[row] : row;
        const std::int64_t a = key % rows.n_actions;
        key /= rows.n_actions;
        const std::string pair = std::to_string(key % rows.n_states) + ", " + std::to_string(a);
        return rows.n_stages == 1 ? pair : std::to_string(key / rows.n_states) + ", " + pair;
    }
    std::string row(std::int64_t r) const { return "row transitions[" + index(r) + "]"; }
    std::string entry(std::int64_t r, std::int64_t next) const {
        return "transitions[" + index(r) + ", " + std::to_string(next) + "]";
    }
    std::string state(std::int64_t s) const {
        std::string text = "state " + std::to_string(s % rows.n_states);
        if (rows.n_stages > 1) text += " at stage " + std::to_string(s / rows.n_states);
        return text;
    }
};

// What the first pass learns, row by row.
struct Scan {
    std::vector<double> defect;
    std::int64_t entries = 0;  // non-zero probabilities
    std::int64_t longest_row = 0;
    bool canonical = true;      // columns ascend, no explicit zeros
    bool deterministic = true;  // every row is one certain outcome
    bool exact_sums = true;
    bool off_sums = false;
    double largest_defect = 0.0;
    bool any_exit = false;
};

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

// Row order by (stage, state, action), with the pointers of states; refuses repeated pairs
// and states without a row.
std::vector<std::int64_t> order_rows(const Place& place, const RawRows& rows, Model& model) {
    const std::int64_t table_states = rows.n_stages * rows.n_states;
    std::vector<std::int64_t> order;
    if (rows.keys) {
        for (std::int64_t r = 0; r < rows.n_rows; ++r)
            if (rows.keys[r] < 0 || rows.keys[r] >= table_states * rows.n_actions)
                throw ModelFault("pair " + std::to_string(r) + " is outside the model");
        if (!std::is_sorted(rows.keys, rows.keys + rows.n_rows)) {
            order.resize(static_cast<std::size_t>(rows.n_rows));
            std::iota(order.begin(), order.end(), std::int64_t{0});
            std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
                return rows.keys[a] < rows.keys[b];
            });
        }
    }
    std::vector<std::int64_t> ptr(static_cast<std::size_t>(table_states) + 1, 0);
    std::vector<std::int32_t> action(static_cast<std::size_t>(rows.n_rows));
    std::int64_t previous = -1;
    for (std::int64_t r = 0; r < rows.n_rows; ++r) {
        const std::int64_t from = order.empty() ? r : order[static_cast<std::size_t>(r)];
        const std::int64_t key = rows.keys ? rows.keys[from] : from;
        if (key == previous) throw ModelFault(place.row(from) + " is given twice");
        previous = key;
        ++ptr[static_cast<std::size_t>(key / rows.n_actions) + 1];
        action[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(key % rows.n_actions);
    }
    for (std::int64_t s = 0; s < table_states; ++s) {
        if (ptr[static_cast<std::size_t>(s) + 1] == 0)
            throw ModelFault(place.state(s) + " has no action; every state needs at least one");
        ptr[static_cast<std::size_t>(s) + 1] += ptr[static_cast<std::size_t>(s)];
    }
    model.state_ptr = Buffer<std::int64_t>(std::move(ptr));
    model.action = Buffer<std::int32_t>(std::move(action));
    return order;
}

template <class T>
Buffer<T> reordered(const Buffer<T>& values, const std::vector<std::int64_t>& order) {
    std::vector<T> out(static_cast<std::size_t>(values.size));
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = values[order.empty() ? static_cast<std::int64_t>(i) : order[i]];
    return Buffer<T>(std::move(out));
}

template <class T>
Buffer<T> copied(const Buffer<T>& values) {
    return Buffer<T>(std::vector<T>(values.data, values.data + values.size));
}

void set_counts(const RawRows& rows, const Scan& scan, Model& model) {
    ModelView& v = model.view;
    v.n_states = rows.n_states;
    v.n_actions = rows.n_actions;
    v.n_stages = rows.n_stages;
    v.n_rows = rows.n_rows;
    v.n_entries = scan.entries;
    v.longest_row = scan.longest_row;
    v.stage_stride = rows.n_stages > 1 ? rows.n_states : 0;
    v.has_exits = scan.any_exit;
    v.rows_need_correction = scan.off_sums;
    v.largest_defect = scan.largest_defect;
}

void copy_row_arrays(const RawRows& rows, const Scan& scan, const std::vector<std::int64_t>& order,
                     Model& model) {
    if (!rows.reward.empty()) model.reward = reordered(rows.reward, order);
    if (scan.any_exit && !scan.deterministic) model.exit = reordered(rows.exit, order);
    if (!rows.exit_reward.empty() && scan.any_exit) {
        // What is never paid is kept as 0, and no rewards at all as none: equal models are equal.
        std::vector<double> paid(static_cast<std::size_t>(rows.n_rows), 0.0);
        bool some = false;
        for (std::int64_t r = 0; r < rows.n_rows; ++r) {
            const std::int64_t from = order.empty() ? r : order[static_cast<std::size_t>(r)];
            if (rows.exit[from] == 0.0 || rows.exit_reward[from] == 0.0) continue;
            paid[static_cast<std::size_t>(r)] = rows.exit_reward[from];
            some = true;
        }
        if (some) model.exit_reward = Buffer<double>(std::move(paid));
    }
    if (!scan.exact_sums)
        model.defect = reordered(Buffer<double>(std::vector<double>(scan.defect)), order);
}

struct Entry {
    std::int32_t col;
    double prob;
    double outcome;
};

// Appends rows entry by entry in canonical order; used by every storage but dense.
class CsrWriter {
public:
    CsrWriter(const Scan& scan, std::int64_t n_rows, bool outcomes)
        : next_only_(scan.deterministic), outcomes_(outcomes) {
        const auto entries = static_cast<std::size_t>(scan.deterministic ? n_rows : scan.entries);
        col_.reserve(entries);
        if (!next_only_) {
            prob_.reserve(entries);
            row_ptr_.reserve(static_cast<std::size_t>(n_rows) + 1);
            row_ptr_.push_back(0);
        }
        if (outcomes) outcome_.reserve(entries);
    }

    void row(std::vector<Entry>& entries) {
        std::sort(entries.begin(), entries.end(),
                  [](const Entry& a, const Entry& b) { return a.col < b.col; });
        if (next_only_ && entries.empty()) entries.push_back({-1, 1.0, 0.0});
        for (const Entry& e : entries) {
            col_.push_back(e.col);
            if (!next_only_) prob_.push_back(e.prob);
            if (outcomes_) outcome_.push_back(e.outcome);
        }
        if (!next_only_) row_ptr_.push_back(static_cast<std::int64_t>(col_.size()));
    }

    void finish(Model& model) {
        model.col = Buffer<std::int32_t>(std::move(col_));
        if (!next_only_) {
            model.prob = Buffer<double>(std::move(prob_));
            model.row_ptr = Buffer<std::int64_t>(std::move(row_ptr_));
        }
        if (outcomes_) model.outcome_reward = Buffer<double>(std::move(outcome_));
        model.view.storage = next_only_ ? Storage::deterministic : Storage::csr;
    }

private:
    bool next_only_;
    bool outcomes_;
    std::vector<std::int32_t> col_;
    std::vector<double> prob_;
    std::vector<std::int64_t> row_ptr_;
    std::vector<double> outcome_;
};

// Mean reward of each row from the rewards of its outcomes and of its exit.
void average_outcomes(Model& model) {
    const ModelView& v = model.view;
    std::vector<double> mean(static_cast<std::size_t>(v.n_rows));
    with_rows(v, [&](const auto& rows) {
        for (std::int64_t r = 0; r < v.n_rows; ++r) {
            DoubleDouble total;
            std::int64_t k = v.storage == Storage::csr     ? v.row_ptr[r]
                             : v.storage == Storage::dense ? r * v.n_states
                                                           : r;
            rows.each(r, [&](std::int32_t j, double p) {
                const std::int64_t at = v.storage == Storage::dense ? k + j : k++;
                total = total + two_prod(p, model.outcome_reward[at]);
            });
            if (!model.exit_reward.empty())
                total = total + two_prod(rows.exit(r), model.exit_reward[r]);
            const double delta = v.defect ? v.defect[r] : 0.0;
            mean[static_cast<std::size_t>(r)] = total.high / (1.0 + delta);
            if (!std::isfinite(mean[static_cast<std::size_t>(r)]))
                throw ModelFault("the mean reward of row " + std::to_string(r) +
                                 " overflows; scale the rewards down");
        }
    });
    model.reward = Buffer<double>(std::move(mean));
}

bool mostly_full(const RawRows& rows, const Scan& scan) {
    return !scan.deterministic && 2 * scan.entries > rows.n_rows * rows.n_states;
}

std::shared_ptr<const Model> finish(std::shared_ptr<Model> model, bool average) {
    model->bind();
    if (average) {
        average_outcomes(*model);
        if (model->view.n_entries == 0) {  // every row ends: its reward is that of ending
            model->outcome_reward = {};
            model->exit_reward = {};
        }
        model->bind();
    }
    return model;
}

}  // namespace

void check_sizes(const RawRows& rows) {
    if (rows.n_states < 1 || rows.n_actions < 1)
        throw ModelFault("the model has " + std::to_string(rows.n_states) + " states and " +
                         std::to_string(rows.n_actions) +
                         " actions; it needs at least one of each");
    if (rows.n_states > INT32_MAX || rows.n_actions > INT32_MAX)
        throw ModelFault("the model has " + std::to_string(rows.n_states) + " states and " +
                         std::to_string(rows.n_actions) +
                         " actions; at most 2147483647 of each are supported");
    // Numbers of rows are formed below.
    if (rows.n_stages > INT64_MAX / rows.n_states / rows.n_actions)
        throw ModelFault("the table of " + std::to_string(rows.n_stages) + " stages, " +
                         std::to_string(rows.n_states) + " states and " +
                         std::to_string(rows.n_actions) + " actions has more than 2^63 rows");
}

std::shared_ptr<const Model> build_from_csr(const RawRows& rows, const RawCsr& csr) {
    const StandardFloatMode mode;
    const Place place{rows};
    check_sizes(rows);
    auto model = std::make_shared<Model>();
    const std::vector<std::int64_t> order = order_rows(place, rows, *model);
    check_row_arrays(place, rows);
    const Scan scan = scan_csr(place, rows, csr);
    set_counts(rows, scan, *model);
    copy_row_arrays(rows, scan, order, *model);
    const bool outcomes = !csr.outcome_reward.empty();
    const bool average = rows.reward.empty();

    if (mostly_full(rows, scan)) {
        const auto table = static_cast<std::size_t>(rows.n_rows * rows.n_states);
        std::vector<double> prob(table), outcome(outcomes ? table : 0);
        for (std::int64_t r = 0; r < rows.n_rows; ++r) {
            const std::int64_t from = order.empty() ? r : order[static_cast<std::size_t>(r)];
            for (std::int64_t k = csr.row_ptr[from]; k < csr.row_ptr[from + 1]; ++k) {
                const auto at = static_cast<std::size_t>(r * rows.n_states + csr.col[k]);
                prob[at] = csr.prob[k];
                if (outcomes) outcome[at] = csr.outcome_reward[k];
            }
        }
        model->prob = Buffer<double>(std::move(prob));
        if (outcomes) model->outcome_reward = Buffer<double>(std::move(outcome));
        model->view.storage = Storage::dense;
        return finish(model, average);
    }
    if (csr.may_alias && order.empty() && scan.canonical && !scan.deterministic) {
        model->row_ptr = csr.row_ptr;
        model->col = csr.col;
        model->prob = csr.prob;
        model->outcome_reward = csr.outcome_reward;
        model->view.storage = Storage::csr;
        return finish(model, average);
    }
    if (order.empty() && scan.canonical && !scan.deterministic) {
        model->row_ptr = copied(csr.row_ptr);
        model->col = copied(csr.col);
        model->prob = copied(csr.prob);
        if (outcomes) model->outcome_reward = copied(csr.outcome_reward);
        model->view.storage = Storage::csr;
        return finish(model, average);
    }
    CsrWriter writer(scan, rows.n_rows, outcomes);
    std::vector<Entry> entries;
    for (std::int64_t r = 0; r < rows.n_rows; ++r) {
        const std::int64_t from = order.empty() ? r : order[static_cast<std::size_t>(r)];
        entries.clear();
        for (std::int64_t k = csr.row_ptr[from]; k < csr.row_ptr[from + 1]; ++k)
            if (csr.prob[k] != 0.0)
                entries.push_back(
                    {csr.col[k], csr.prob[k], outcomes ? csr.outcome_reward[k] : 0.0});
        writer.row(entries);
    }
    writer.finish(*model);
    return finish(model, average);
}

std::shared_ptr<const Model> build_from_dense(const RawRows& rows, const RawDense& dense) {
    const StandardFloatMode mode;
    const Place place{rows};
    check_sizes(rows);
    auto model = std::make_shared<Model>();
    const std::vector<std::int64_t> order = order_rows(place, rows, *model);
    check_row_arrays(place, rows);
    const Scan scan = scan_dense(place, rows, dense);
    set_counts(rows, scan, *model);
    copy_row_arrays(rows, scan, order, *model);
    const bool outcomes = !dense.outcome_reward.empty();
    const bool average = rows.reward.empty();

    if (mostly_full(rows, scan) && order.empty()) {
        const auto copy = [&](const Buffer<double>& b) {
            return dense.may_alias ? b : reordered(b, {});
        };
        model->prob = copy(dense.prob);
        if (outcomes) model->outcome_reward = copy(dense.outcome_reward);
        model->view.storage = Storage::dense;
        return finish(model, average);
    }
    if (mostly_full(rows, scan)) {
        const auto gather = [&](const Buffer<double>& b) {
            std::vector<double> out(static_cast<std::size_t>(b.size));
            for (std::int64_t r = 0; r < rows.n_rows; ++r)
                std::copy_n(b.data + order[static_cast<std::size_t>(r)] * rows.n_states,
                            rows.n_states, out.begin() + r * rows.n_states);
            return Buffer<double>(std::move(out));
        };
        model->prob = gather(dense.prob);
        if (outcomes) model->outcome_reward = gather(dense.outcome_reward);
        model->view.storage = Storage::dense;
        return finish(model, average);
    }
    CsrWriter writer(scan, rows.n_rows, outcomes);
    std::vector<Entry> entries;
    for (std::int64_t r = 0; r < rows.n_rows; ++r) {
        const std::int64_t from = order.empty() ? r : order[static_cast<std::size_t>(r)];
        entries.clear();
        for (std::int64_t j = 0; j < rows.n_states; ++j) {
            const std::int64_t at = from * rows.n_states + j;
            if (dense.prob[at] != 0.0)
                entries.push_back({static_cast<std::int32_t>(j), dense.prob[at],
                                   outcomes ? dense.outcome_reward[at] : 0.0});
        }
        writer.row(entries);
    }
    writer.finish(*model);
    return finish(model, average);
}

std::shared_ptr<const Model> with_rewards(const Model& model, Buffer<double> reward) {
    auto changed = std::make_shared<Model>(model);
    for (std::int64_t r = 0; r < reward.size; ++r)
        if (!std::isfinite(reward[r]))
            throw ModelFault("the reward of pair " + std::to_string(r) + " is " +
                             number(reward[r]) + "; it must be finite");
    changed->reward = std::move(reward);
    changed->outcome_reward = {};
    changed->exit_reward = {};
    changed->bind();
    return changed;
}

}  // namespace rlt
