#include "solvers/ordered_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "support/float_mode.hpp"

namespace rlt {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// For each state, the states with a row that leads there.
struct Predecessors {
    std::vector<std::int64_t> ptr;
    std::vector<std::int32_t> from;
};

Predecessors predecessors(const ModelView& m) {
    Predecessors p;
    p.ptr.assign(at(m.n_states) + 1, 0);
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t r = 0; r < m.n_rows; ++r)
            rows.each(r, [&](std::int32_t j, double) { ++p.ptr[at(j) + 1]; });
        for (std::int64_t s = 0; s < m.n_states; ++s) p.ptr[at(s) + 1] += p.ptr[at(s)];
        p.from.resize(at(p.ptr[at(m.n_states)]));
        std::vector<std::int64_t> next(p.ptr.begin(), p.ptr.end() - 1);
        for (std::int64_t s = 0; s < m.n_states; ++s)
            for (std::int64_t r = m.row_begin(0, s); r < m.row_end(0, s); ++r)
                rows.each(r, [&](std::int32_t j, double) {
                    p.from[at(next[at(j)]++)] = static_cast<std::int32_t>(s);
                });
    });
    return p;
}

}  // namespace

std::vector<std::int32_t> backward_order(const ModelView& m) {
    const Predecessors p = predecessors(m);
    std::vector<double> most(at(m.n_states), -std::numeric_limits<double>::infinity());
    for (std::int64_t s = 0; s < m.n_states; ++s)
        for (std::int64_t r = m.row_begin(0, s); r < m.row_end(0, s); ++r)
            most[at(s)] = std::max(most[at(s)], m.reward[r]);
    const double largest = *std::max_element(most.begin(), most.end());
    std::vector<std::int32_t> order;
    order.reserve(at(m.n_states));
    std::vector<char> seen(at(m.n_states), 0);
    std::size_t next = 0;
    const auto visit = [&](std::int32_t s) {
        if (seen[at(s)]) return;
        seen[at(s)] = 1;
        order.push_back(s);
    };
    const auto spread = [&] {
        for (; next < order.size(); ++next) {
            const auto s = at(order[next]);
            for (auto k = p.ptr[s]; k < p.ptr[s + 1]; ++k) visit(p.from[at(k)]);
        }
    };
    for (std::int32_t s = 0; s < m.n_states; ++s)
        if (most[at(s)] == largest) visit(s);
    spread();
    for (std::int32_t s = 0; s < m.n_states; ++s) {
        visit(s);
        spread();
    }
    return order;
}

OrderedRows::OrderedRows(const ModelView& m, double discount, std::vector<std::int32_t> order)
    : n_(m.n_states), order_(std::move(order)), chosen_(at(m.n_states)) {
    const StandardFloatMode mode;
    std::vector<std::int32_t> position(at(n_));
    for (std::int64_t i = 0; i < n_; ++i)
        position[at(order_[at(i)])] = static_cast<std::int32_t>(i);
    first_.reserve(at(n_) + 1);
    first_.push_back(0);
    ptr_.reserve(at(m.n_rows) + 1);
    ptr_.push_back(0);
    reward_.reserve(at(m.n_rows));
    col_.reserve(at(m.n_entries));
    prob_.reserve(at(m.n_entries));
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t i = 0; i < n_; ++i) {
            const std::int32_t s = order_[at(i)];
            chosen_[at(i)] = first_.back();
            for (std::int64_t r = m.row_begin(0, s); r < m.row_end(0, s); ++r) {
                const double sum = m.defect ? 1.0 + m.defect[r] : 1.0;
                double stay = 0.0;
                rows.each(r, [&](std::int32_t j, double p) {
                    if (j == s) stay = p;
                });
                const double away = 1.0 - discount * (stay / sum);
                const double scale = discount / (sum * away);
                rows.each(r, [&](std::int32_t j, double p) {
                    if (j == s) return;
                    col_.push_back(position[at(j)]);
                    prob_.push_back(scale * p);
                });
                reward_.push_back(m.reward[r] / away);
                ptr_.push_back(static_cast<std::int64_t>(col_.size()));
            }
            first_.push_back(static_cast<std::int64_t>(reward_.size()));
        }
    });
}

Sweep OrderedRows::improve(double* value, bool backwards) {
    const StandardFloatMode mode;
    Sweep sweep;
    const std::int64_t* ptr = ptr_.data();
    const std::int32_t* col = col_.data();
    const double* prob = prob_.data();
    const auto backup_of = [&](std::int64_t r) {
        double x = reward_[at(r)];
        for (std::int64_t k = ptr[r]; k < ptr[r + 1]; ++k) x += prob[k] * value[col[k]];
        return x;
    };
    for (std::int64_t step = 0; step < n_; ++step) {
        const std::int64_t i = backwards ? n_ - 1 - step : step;
        const std::int64_t present = chosen_[at(i)];
        double best = backup_of(present);
        // What rounding alone makes better is no reason to switch.
        double to_beat = best + 0x1.0p-50 * std::abs(best);
        std::int64_t arg = present;
        for (std::int64_t r = first_[at(i)]; r < first_[at(i) + 1]; ++r) {
            if (r == present) continue;
            const double x = backup_of(r);
            if (x > to_beat) {
                best = to_beat = x;
                arg = r;
            }
        }
        sweep.switched += arg != present;
        chosen_[at(i)] = arg;
        sweep.change = std::max(sweep.change, std::abs(best - value[i]));
        value[i] = best;
    }
    return sweep;
}

double OrderedRows::residual(const double* value, double* out) const {
    const StandardFloatMode mode;
    double largest = 0.0;
    for (std::int64_t i = 0; i < n_; ++i) {
        const std::int64_t r = chosen_[at(i)];
        double x = reward_[at(r)] - value[i];
        for (std::int64_t k = ptr_[at(r)]; k < ptr_[at(r) + 1]; ++k)
            x += prob_[at(k)] * value[col_[at(k)]];
        out[i] = x;
        largest = std::max(largest, std::abs(x));
    }
    return largest;
}

PolicyChain OrderedRows::chain() const {
    std::vector<std::int64_t> ptr{0};
    std::vector<std::int32_t> col;
    std::vector<double> value;
    ptr.reserve(at(n_) + 1);
    std::vector<std::pair<std::int32_t, double>> row;
    for (std::int64_t i = 0; i < n_; ++i) {
        const std::int64_t r = chosen_[at(i)];
        row.clear();
        row.emplace_back(static_cast<std::int32_t>(i), 1.0);
        for (std::int64_t k = ptr_[at(r)]; k < ptr_[at(r) + 1]; ++k)
            row.emplace_back(col_[at(k)], -prob_[at(k)]);
        std::sort(row.begin(), row.end(),
                  [](const auto& a, const auto& b) { return a.first < b.first; });
        for (const auto& [j, x] : row) {
            col.push_back(j);
            value.push_back(x);
        }
        ptr.push_back(static_cast<std::int64_t>(col.size()));
    }
    return PolicyChain(std::move(ptr), std::move(col), std::move(value));
}

void OrderedRows::gather(const double* value, double* ordered) const {
    for (std::int64_t i = 0; i < n_; ++i) ordered[i] = value[order_[at(i)]];
}

void OrderedRows::scatter(const double* ordered, double* value) const {
    for (std::int64_t i = 0; i < n_; ++i) value[order_[at(i)]] = ordered[i];
}

void OrderedRows::chosen_rows(const ModelView& m, std::int64_t* rows) const {
    for (std::int64_t i = 0; i < n_; ++i) {
        const std::int32_t s = order_[at(i)];
        rows[s] = m.row_begin(0, s) + (chosen_[at(i)] - first_[at(i)]);
    }
}

}  // namespace rlt
