#include "model/build.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "model/array_checks.hpp"
#include "model/order_rows.hpp"
#include "model/read_rows.hpp"
#include "support/double_double.hpp"
#include "support/float_mode.hpp"
#include "support/kept.hpp"
#include "support/room.hpp"

namespace rlt {

namespace {

// The values in the order of the model's rows.
template <class T>
Buffer<T> reordered(const Buffer<T>& values, const std::vector<std::int64_t>& order) {
    if (order.empty()) return kept(values);
    Room<T> out(order.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = values[order[i]];
    return Buffer<T>(std::move(out));
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
    v.rows_need_correction = scan.off_sums();
    v.largest_defect = scan.largest_defect;
}

void keep_row_arrays(const RawRows& rows, Scan& scan, const std::vector<std::int64_t>& order,
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
    if (!scan.defect.empty())
        model.defect = reordered(Buffer<double>(std::move(scan.defect)), order);
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
    const bool counted = rows.state && rows.n_actions == 0;  // later: as many as are named
    if (rows.n_states < 1 || (rows.n_actions < 1 && !counted))
        throw ModelFault("the model has " + std::to_string(rows.n_states) + " states and " +
                         std::to_string(rows.n_actions) +
                         " actions; it needs at least one of each");
    if (rows.n_states > INT32_MAX || rows.n_actions > INT32_MAX)
        throw ModelFault("the model has " + std::to_string(rows.n_states) + " states and " +
                         std::to_string(rows.n_actions) +
                         " actions; at most 2147483647 of each are supported");
    // Numbers of rows are formed below.
    if (rows.n_stages > INT64_MAX / rows.n_states / std::max<std::int64_t>(rows.n_actions, 1))
        throw ModelFault("the table of " + std::to_string(rows.n_stages) + " stages, " +
                         std::to_string(rows.n_states) + " states and " +
                         std::to_string(rows.n_actions) + " actions has more than 2^63 rows");
}

void give_pointers(RawCsr& csr, const std::int32_t* pointers, std::int64_t size) {
    Room<std::int64_t> wide(static_cast<std::size_t>(size));
    csr.pointers_ascend = widen(pointers, size, wide.data());
    csr.row_ptr = Buffer<std::int64_t>(std::move(wide));
}

std::shared_ptr<const Model> build_from_csr(RawRows rows, const RawCsr& csr) {
    const StandardFloatMode mode;
    const Place place{rows};
    check_sizes(rows);
    check_pointers(csr);
    auto model = std::make_shared<Model>();
    const std::vector<std::int64_t> order = order_rows(place, rows, *model);
    check_row_arrays(place, rows);
    Scan scan = scan_csr(place, rows, csr, order.empty());
    set_counts(rows, scan, *model);
    keep_row_arrays(rows, scan, order, *model);
    const bool outcomes = !csr.outcome_reward.empty();
    const bool average = rows.reward.empty();

    if (mostly_full(scan, rows.n_rows, rows.n_states)) {
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
    if (order.empty() && scan.canonical && !scan.deterministic) {
        model->row_ptr = kept(csr.row_ptr);
        model->col = scan.col.empty() ? kept(csr.col) : std::move(scan.col);
        model->prob = scan.prob.empty() ? kept(csr.prob) : std::move(scan.prob);
        model->outcome_reward = kept(csr.outcome_reward);
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

std::shared_ptr<const Model> build_from_dense(RawRows rows, const RawDense& dense) {
    const StandardFloatMode mode;
    const Place place{rows};
    check_sizes(rows);
    auto model = std::make_shared<Model>();
    const std::vector<std::int64_t> order = order_rows(place, rows, *model);
    check_row_arrays(place, rows);
    Scan scan = scan_dense(place, rows, dense, order.empty());
    set_counts(rows, scan, *model);
    keep_row_arrays(rows, scan, order, *model);
    const bool outcomes = !dense.outcome_reward.empty();
    const bool average = rows.reward.empty();

    if (mostly_full(scan, rows.n_rows, rows.n_states) && order.empty()) {
        model->prob = std::move(scan.prob);
        model->outcome_reward = kept(dense.outcome_reward);
        model->view.storage = Storage::dense;
        return finish(model, average);
    }
    if (mostly_full(scan, rows.n_rows, rows.n_states)) {
        const auto gather = [&](const Buffer<double>& b) {
            Room<double> out(static_cast<std::size_t>(b.size));
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
