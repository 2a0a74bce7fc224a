// The worst law of a row: in doubles for sweeps, in double-double for certificates and for those
// who want to see it. See ambiguity.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "solvers/ambiguity.hpp"

namespace rlt {

namespace worst {

inline bool by_value(const Entry& a, const Entry& b) { return a.value < b.value; }
inline bool by_value_reversed(const Entry& a, const Entry& b) { return a.value > b.value; }

// What moving `budget` from the largest entries to `least` takes away. If c is the value of the
// last outcome that loses mass, it is sum of p (v - c) over v > c, and budget (c - least): one pass
// where c is known, which it mostly is from the sweep before; else a heap finds it.
inline double l1_loss(const CsrRows& rows, std::int64_t row, const Outlook& o, double budget,
                      double least, RowMemory memory) {
    const std::int64_t begin = rows.row_ptr[row], end = rows.row_ptr[row + 1];
    const auto terms = static_cast<std::int32_t>(end - begin);
    const double exit = rows.exit(row), end_value = o.value.back();
    const auto value_at = [&](std::int64_t k) {
        return o.value[static_cast<std::size_t>(rows.col[k])];
    };
    const double c = memory.last < terms ? value_at(begin + memory.last) : end_value;
    double above = end_value > c ? exit : 0.0, level = end_value == c ? exit : 0.0;
    double excess = above * (end_value - c);
    for (std::int64_t k = begin; k < end; ++k) {
        const double d = value_at(k) - c, p = rows.prob[k];
        const double over = d > 0.0 ? p : 0.0;
        above += over;
        level += d == 0.0 ? p : 0.0;
        excess += over * d;
    }
    if (above < budget && (above + level >= budget || c <= least))
        return excess + budget * (c - least);
    std::vector<Entry>& entries = memory.entries;
    entries.clear();
    for (std::int32_t i = 0; i < terms; ++i)
        entries.push_back({value_at(begin + i), rows.prob[begin + i], i});
    if (exit > 0.0) entries.push_back({end_value, exit, terms});
    std::make_heap(entries.begin(), entries.end(), by_value);
    double lost = 0.0;
    while (!entries.empty() && budget > 0.0) {
        const Entry top = entries.front();
        memory.last = top.at;
        if (top.value <= least) break;
        const double moved = std::min(budget, top.mass);
        lost += moved * (top.value - least);
        budget -= moved;
        std::pop_heap(entries.begin(), entries.end(), by_value);
        entries.pop_back();
    }
    return lost;
}

// A dense row is walked in the order of values that all rows of the sweep share.
inline double l1_loss(const DenseRows& rows, std::int64_t row, const Outlook& o, double budget,
                      double least, RowMemory) {
    const double* p = rows.prob + row * rows.n;
    double lost = 0.0;
    for (const std::int32_t j : o.order) {
        const double value = o.value[static_cast<std::size_t>(j)];
        if (budget <= 0.0 || value <= least) break;
        const double mass = j == rows.n ? rows.exit(row) : p[j];
        const double moved = std::min(budget, mass);
        lost += moved * (value - least);
        budget -= moved;
    }
    return lost;
}

inline double l1_loss(const DeterministicRows& rows, std::int64_t row, const Outlook& o,
                      double budget, double least, RowMemory) {
    const std::int32_t next = rows.next[row];
    const double value = next >= 0 ? o.value[static_cast<std::size_t>(next)] : o.value.back();
    return std::min(budget, 1.0) * (value - least);
}

template <class Rows>
double least_of_row(const Rows& rows, std::int64_t row, const Outlook& o) {
    double least = std::numeric_limits<double>::infinity();
    rows.each(row, [&](std::int32_t j, double) {
        least = std::min(least, o.value[static_cast<std::size_t>(j)]);
    });
    return rows.exit(row) > 0.0 ? std::min(least, o.value.back()) : least;
}

inline double interval_value(const Ambiguity& ambiguity, std::int64_t index, const Outlook& o,
                             std::vector<Entry>& scratch) {
    const std::int64_t begin = ambiguity.row_ptr[index], end = ambiguity.row_ptr[index + 1];
    double sum = 0.0, left = 1.0;
    for (std::int64_t k = begin; k < end; ++k) {
        sum += ambiguity.low[k] * o.value[static_cast<std::size_t>(ambiguity.col[k])];
        left -= ambiguity.low[k];
    }
    if (ambiguity.is_full(index, static_cast<std::int64_t>(o.order.size()))) {
        for (auto j = o.order.rbegin(); j != o.order.rend() && left > 0.0; ++j) {
            const std::int64_t k = begin + *j;
            const double filled = std::min(left, ambiguity.high[k] - ambiguity.low[k]);
            sum += filled * o.value[static_cast<std::size_t>(*j)];
            left -= filled;
        }
        return sum;
    }
    scratch.clear();
    for (std::int64_t k = begin; k < end; ++k)
        if (ambiguity.high[k] > ambiguity.low[k])
            scratch.push_back({o.value[static_cast<std::size_t>(ambiguity.col[k])],
                               ambiguity.high[k] - ambiguity.low[k], 0});
    std::make_heap(scratch.begin(), scratch.end(), by_value_reversed);
    while (!scratch.empty() && left > 0.0) {
        const double filled = std::min(left, scratch.front().mass);
        sum += filled * scratch.front().value;
        left -= filled;
        std::pop_heap(scratch.begin(), scratch.end(), by_value_reversed);
        scratch.pop_back();
    }
    return sum;
}

inline bool below(DoubleDouble a, DoubleDouble b) {
    return a.high < b.high || (a.high == b.high && a.low < b.low);
}

}  // namespace worst

template <class Rows>
double robust_backup(const ModelView& m, const Rows& rows, const Ambiguity& ambiguity,
                     std::int64_t row, std::int64_t index, double discount, const Outlook& outlook,
                     RowMemory memory) {
    double d;
    if (ambiguity.kind == Ambiguity::Kind::l1) {
        d = rows.dot(row, outlook.value.data());
        const double budget = 0.5 * ambiguity.radius[index];
        if (budget > 0.0) {
            const double least =
                ambiguity.support_only ? worst::least_of_row(rows, row, outlook) : outlook.least;
            d -= worst::l1_loss(rows, row, outlook, budget, least, memory);
        }
    } else {
        d = worst::interval_value(ambiguity, index, outlook, memory.entries);
    }
    if (m.rows_need_correction) d -= m.defect[row] * d;
    return m.reward[row] + discount * (outlook.sign * d);
}

// Turns the law of a row, which sums to 1 + delta, into its worst one, of the same sum; outcomes in
// no particular order.
void make_worst(const Ambiguity& ambiguity, std::int64_t index, const PreciseOutlook& o,
                DoubleDouble delta, std::vector<Mass>& law);

// The worst law of a row, and what the sum of the row's own law is above 1.
template <class Rows>
DoubleDouble worst_law(const ModelView& m, const Rows& rows, const Ambiguity& ambiguity,
                       std::int64_t row, std::int64_t index, const PreciseOutlook& o,
                       std::vector<Mass>& law) {
    law.clear();
    DoubleDouble delta = two_sum(-1.0, rows.exit(row));
    const auto take = [&](std::int32_t j, double p) {
        law.push_back({j, {p, 0.0}, o.value[static_cast<std::size_t>(j)]});
    };
    rows.each(row, [&](std::int32_t j, double p) {
        delta = delta + p;
        take(j, p);
    });
    if (rows.exit(row) > 0.0) take(static_cast<std::int32_t>(m.n_states), rows.exit(row));
    make_worst(ambiguity, index, o, delta, law);
    return delta;
}

}  // namespace rlt
