#include "solvers/ordered_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "solvers/backups.hpp"
#include "solvers/few_entries.hpp"
#include "support/inlined.hpp"

namespace rlt {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Entries from which on rows already in order are not copied: a copy, with chances to stay
// eliminated, is quicker to sweep, but as large as the model.
constexpr std::int64_t too_many_to_copy = std::int64_t{1} << 22;

constexpr std::size_t short_row = 16;  // sorted as it is read

// Whether nearly every state of the order is followed by the next one, or the previous one.
bool runs(const Room<std::int32_t>& order, std::int32_t step) {
    std::size_t followed = 0;
    for (std::size_t i = 1; i < order.size(); ++i) followed += order[i] - order[i - 1] == step;
    return followed + order.size() / 100 >= order.size() - 1;
}

// 1 - discount P(s | s) of a row of s; at discount 1 what leaves, as a sum that does not cancel.
double away_from(double stay, double leave, double discount, double sum) {
    return discount < 1.0 ? 1.0 - discount * (stay / sum) : leave / sum;
}

// What a row that only stays is worth at discount 1.
double staying_for(double reward) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return reward > 0.0 ? infinity : -infinity;
}

template <class Rows>
double chance_to_move(const Rows& rows, std::int64_t row, std::int64_t s, double discount,
                      double sum) {
    double stay = 0.0, leave = rows.exit(row);
    rows.each(row, [&](std::int32_t j, double p) {
        if (j == s)
            stay = p;
        else
            leave += p;
    });
    return away_from(stay, leave, discount, sum);
}

}  // namespace

OrderedRows::OrderedRows(const ModelView& m, double discount, Room<std::int32_t> order,
                         std::int64_t* chosen)
    : m_(m), discount_(discount), chosen_(chosen) {
    const std::int64_t n = m.n_states;
    reversed_ = runs(order, -1);
    if (m.n_entries >= too_many_to_copy && (reversed_ || runs(order, 1))) return;
    const Room<std::int64_t> start(chosen, chosen + n);
    order_ = std::move(order);
    Room<std::int32_t> position(at(n));
    for (std::int64_t i = 0; i < n; ++i) position[at(order_[at(i)])] = static_cast<std::int32_t>(i);
    const bool filled =
        m.longest_row <= most_few_entries && m.longest_row * m.n_rows <= 2 * m.n_entries;
    width_ = filled ? m.longest_row : 0;
    const std::size_t room = at(width_ > 0 ? width_ * m.n_rows : m.n_entries);
    first_.resize(at(n) + 1);
    first_[0] = 0;
    if (width_ == 0) ptr_.assign(at(m.n_rows) + 1, 0);
    reward_.resize(at(m.n_rows));
    col_.resize(room);
    prob_.resize(room);
    for (std::int64_t i = 0; i < n; ++i) {
        const std::int32_t s = order_[at(i)];
        chosen_[i] = first_[at(i)] + (start[at(s)] - m.row_begin(0, s));
        first_[at(i) + 1] = first_[at(i)] + m.row_end(0, s) - m.row_begin(0, s);
    }
    if (width_ > 0 && m.storage == Storage::csr)
        with_few(width_, [&](auto width) { copy_few<width()>(position); });
    else
        copy_rows(position);
}

template <int width>
void OrderedRows::copy_few(const Room<std::int32_t>& position) {
    const CsrRows rows(m_);
    const std::int32_t* const place = position.data();
    const double* const defect = m_.defect;
    const double discount = discount_;
    std::int32_t* to_col = col_.data();
    double* to_prob = prob_.data();
    double* reward = reward_.data();
    const auto state_at = [&](std::int64_t i) { return order_[at(std::min(i, m_.n_states - 1))]; };
    for (std::int32_t i = 0; i < m_.n_states; ++i) {
        // Rows of states that are next in this order lie anywhere in the model.
        constexpr std::int64_t ahead = 6;
        __builtin_prefetch(&m_.state_ptr[state_at(i + 3 * ahead)]);
        __builtin_prefetch(&rows.row_ptr[m_.row_begin(0, state_at(i + 2 * ahead))]);
        const std::int64_t soon = m_.row_begin(0, state_at(i + ahead));
        const std::int64_t first = rows.row_ptr[soon];
        __builtin_prefetch(&m_.reward[soon]);
        if (defect) __builtin_prefetch(&defect[soon]);
        for (std::int64_t k = 0; k < 3; ++k) __builtin_prefetch(&rows.prob[first + 8 * k]);
        __builtin_prefetch(&rows.col[first]);
        const std::int32_t s = order_[at(i)];
        const std::int64_t end = m_.row_end(0, s);
        for (std::int64_t r = m_.row_begin(0, s); r < end; ++r) {
            const std::int64_t from = rows.row_ptr[r], terms = rows.terms(r);
            std::int32_t col[width];
            double prob[width];
            double stay = 0.0, leave = rows.exit(r);
#pragma GCC unroll 4
            for (std::int64_t k = 0; k < width; ++k) {
                const bool there = k < terms;
                const std::int64_t entry = there ? from + k : 0;
                const std::int32_t read = rows.col[entry];
                const std::int32_t j = there ? read : s;
                const double p = kept_if(there, rows.prob[entry]);
                stay += kept_if(j == s, p);
                prob[k] = kept_if(j != s, p);
                leave += prob[k];
                col[k] = place[j];
            }
            const double sum = defect ? 1.0 + defect[r] : 1.0;
            const double away = away_from(stay, leave, discount, sum);
            const bool for_ever = away == 0.0;
            *reward++ = for_ever ? staying_for(m_.reward[r]) : m_.reward[r] / away;
            const double scale = for_ever ? 0.0 : discount / (sum * away);
            for (double& p : prob) p *= scale;
            // Columns ascend in the new order too.
            sort_few<width>(col, prob);
            store_few<width>(col, prob, to_col, to_prob);
            to_col += width;
            to_prob += width;
        }
    }
}

void OrderedRows::copy_rows(const Room<std::int32_t>& position) {
    std::vector<std::pair<std::int32_t, double>> row;
    std::size_t next = 0, to = 0;
    with_rows(m_, [&](const auto& rows) {
        for (std::int64_t i = 0; i < m_.n_states; ++i) {
            const std::int32_t s = order_[at(i)];
            for (std::int64_t r = m_.row_begin(0, s); r < m_.row_end(0, s); ++r, ++next) {
                const double sum = m_.defect ? 1.0 + m_.defect[r] : 1.0;
                const double away = chance_to_move(rows, r, s, discount_, sum);
                reward_[next] = away == 0.0 ? staying_for(m_.reward[r]) : m_.reward[r] / away;
                const double scale = discount_ / (sum * away);
                row.clear();
                rows.each(r, [&](std::int32_t j, double p) {
                    if (j == s || away == 0.0) return;
                    row.emplace_back(position[at(j)], scale * p);
                    for (auto k = row.size() - 1; k > 0 && row.size() <= short_row; --k) {
                        if (row[k - 1].first < row[k].first) break;
                        std::swap(row[k - 1], row[k]);
                    }
                });
                if (row.size() > short_row) std::sort(row.begin(), row.end());
                auto k = row.begin();
                const auto copy_up_to = [&](std::int64_t last) {
                    for (; k != row.end() && k->first <= last; ++k, ++to) {
                        col_[to] = k->first;
                        prob_[to] = k->second;
                    }
                };
                copy_up_to(i);
                for (auto fill = at(width_); fill > row.size(); --fill, ++to) {
                    col_[to] = static_cast<std::int32_t>(i);
                    prob_[to] = 0.0;
                }
                copy_up_to(m_.n_states);
                if (width_ == 0) ptr_[next + 1] = static_cast<std::int64_t>(to);
            }
        }
    });
}

void OrderedRows::begin(double* value) {
    const auto choose = [&](std::int64_t i, std::int64_t begin, std::int64_t end,
                            const auto& split) {
        double best = -std::numeric_limits<double>::infinity();
        for (std::int64_t r = begin; r < end; ++r) {
            double known = 0.0, later = 0.0;
            split(i, r, known, later);
            const double x = known / (1.0 - later);
            if (x > best) {
                best = x;
                chosen_[i] = r;
            }
        }
        value[i] = best;
    };
    if (in_place()) {
        with_rows(m_, [&](const auto& rows) {
            for (std::int64_t step = 0; step < m_.n_states; ++step) {
                const std::int64_t s = reversed_ ? m_.n_states - 1 - step : step;
                choose(s, m_.row_begin(0, s), m_.row_end(0, s),
                       [&](std::int64_t, std::int64_t r, double& known, double& later) {
                           const double scale =
                               m_.defect ? discount_ / (1.0 + m_.defect[r]) : discount_;
                           known = m_.reward[r];
                           rows.each(r, [&](std::int32_t j, double p) {
                               if (reversed_ ? j > s : j < s)
                                   known += scale * p * value[j];
                               else
                                   later += scale * p;
                           });
                       });
            }
        });
        return;
    }
    for (std::int64_t i = 0; i < m_.n_states; ++i)
        choose(i, first_[at(i)], first_[at(i) + 1],
               [&](std::int64_t own, std::int64_t r, double& known, double& later) {
                   known = reward_[at(r)];
                   for (std::int64_t k = begin(r); k < begin(r + 1); ++k) {
                       if (col_[at(k)] < own)
                           known += prob_[at(k)] * value[col_[at(k)]];
                       else
                           later += prob_[at(k)];
                   }
               });
}

template <class Backup>
Sweep OrderedRows::sweep(double* value, bool backwards, const Backup& backup_of) {
    Sweep sweep;
    double doubt = 0.0;  // NaN once a value is not finite
    const std::int64_t* first = in_place() ? m_.state_ptr : first_.data();
    for (std::int64_t step = 0; step < m_.n_states; ++step) {
        const std::int64_t i = backwards ? m_.n_states - 1 - step : step;
        const std::int64_t present = chosen_[i];
        // Which row is the present one, and which the best, is hard to predict: nothing branches.
        constexpr double never = -std::numeric_limits<double>::infinity();
        constexpr double added_to[2] = {0.0, never};
        double own = never, best = never;
        std::int64_t arg = present;
        for (std::int64_t r = first[i]; r < first[i + 1]; ++r) {
            const double x = backup_of(i, r);
            const bool is_present = r == present;
            const double other = x + added_to[is_present];
            own = std::max(own, x + added_to[!is_present]);
            arg = other > best ? r : arg;
            best = std::max(best, other);
        }
        // What rounding alone makes better is no reason to switch.
        if (!(best > own + 0x1.0p-50 * std::abs(own))) {
            best = own;
            arg = present;
        }
        sweep.switched += arg != present;
        chosen_[i] = arg;
        const double change = best - value[i];
        sweep.change = std::max(sweep.change, std::abs(change));
        doubt += change - change;
        value[i] = best;
    }
    sweep.change += doubt;
    return sweep;
}

Sweep OrderedRows::improve(double* value, bool backwards) {
    if (in_place())
        return with_rows(m_, [&](const auto& rows) {
            return sweep(value, backwards != reversed_, [&](std::int64_t s, std::int64_t r) {
                const double sum = m_.defect ? 1.0 + m_.defect[r] : 1.0;
                const double away = chance_to_move(rows, r, s, discount_, sum);
                if (away == 0.0) return staying_for(m_.reward[r]);
                // Multiplied in this order, a value just computed is waited for but once.
                const double factor = discount_ / (sum * away);
                double x = m_.reward[r] * (1.0 / away);
                rows.each(r, [&](std::int32_t j, double p) {
                    x += (factor * p) * (j == s ? 0.0 : value[j]);
                });
                return x;
            });
        });
    const std::int32_t* col = col_.data();
    const double* prob = prob_.data();
    const double* reward = reward_.data();
    if (width_ > 0)
        return with_few(width_, [&](auto width) {
            return sweep(value, backwards, [=](std::int64_t, std::int64_t r) RLT_INLINED {
                double x = reward[r];
                for (std::int64_t k = r * width(); k < (r + 1) * width(); ++k)
                    x += prob[k] * value[col[k]];
                return x;
            });
        });
    const std::int64_t* ptr = ptr_.data();
    return sweep(value, backwards, [=](std::int64_t, std::int64_t r) {
        double x = reward[r];
        for (std::int64_t k = ptr[r]; k < ptr[r + 1]; ++k) x += prob[k] * value[col[k]];
        return x;
    });
}

double OrderedRows::residual(const double* value, double* out) const {
    double largest = 0.0, doubt = 0.0;
    const auto see = [&](std::int64_t i, double x) {
        out[i] = x;
        largest = std::max(largest, std::abs(x));
        doubt += x - x;
    };
    if (in_place()) {
        with_rows(m_, [&](const auto& rows) {
            for (std::int64_t s = 0; s < m_.n_states; ++s)
                see(s, backup(m_, rows, chosen_[s], discount_, value) - value[s]);
        });
        return largest + doubt;
    }
    const auto residual_of = [&](std::int64_t i, std::int64_t first, auto terms) RLT_INLINED {
        double x = reward_[at(chosen_[i])] - value[i];
        for (std::int64_t k = first; k < first + terms; ++k) x += prob_[at(k)] * value[col_[at(k)]];
        see(i, x);
    };
    if (width_ > 0)
        with_few(width_, [&](auto width) {
            for (std::int64_t i = 0; i < m_.n_states; ++i)
                residual_of(i, chosen_[i] * width(), width);
        });
    else
        for (std::int64_t i = 0; i < m_.n_states; ++i) {
            const std::int64_t first = ptr_[at(chosen_[i])];
            residual_of(i, first, ptr_[at(chosen_[i]) + 1] - first);
        }
    return largest + doubt;
}

MatrixRows OrderedRows::equations() const {
    return {m_.n_states,  width_ > 0 ? nullptr : ptr_.data(),
            width_,       col_.data(),
            prob_.data(), chosen_,
            1.0,          -1.0};
}

void OrderedRows::gather(const double* value, double* ordered) const {
    for (std::int64_t i = 0; i < m_.n_states; ++i) ordered[i] = value[order_[at(i)]];
}

void OrderedRows::scatter(const double* ordered, double* value) const {
    for (std::int64_t i = 0; i < m_.n_states; ++i) value[order_[at(i)]] = ordered[i];
}

void OrderedRows::finish() {
    if (in_place()) return;
    const Room<std::int64_t> chosen(chosen_, chosen_ + m_.n_states);
    for (std::int64_t i = 0; i < m_.n_states; ++i) {
        const std::int32_t s = order_[at(i)];
        chosen_[s] = m_.row_begin(0, s) + (chosen[at(i)] - first_[at(i)]);
    }
}

}  // namespace rlt
