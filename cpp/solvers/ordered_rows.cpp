#include "solvers/ordered_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "solvers/backups.hpp"
#include "support/inlined.hpp"

namespace rlt {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Entries from which on rows already in order are not copied: a copy, with chances to stay
// eliminated, is quicker to sweep, but as large as the model.
constexpr std::int64_t too_many_to_copy = std::int64_t{1} << 22;

// Rows of up to so many entries are filled up to the longest of them: a loop of a length that
// varies is mispredicted, which takes longer than a few multiplications by 0.
constexpr std::int64_t longest_filled_row = 4;

constexpr std::size_t short_row = 16;  // sorted as it is read

// Whether nearly every state of the order is followed by the next one, or the previous one.
bool runs(const Room<std::int32_t>& order, std::int32_t step) {
    std::size_t followed = 0;
    for (std::size_t i = 1; i < order.size(); ++i) followed += order[i] - order[i - 1] == step;
    return followed + order.size() / 100 >= order.size() - 1;
}

// For each state, the states with a row that leads there.
struct Predecessors {
    Room<std::int64_t> ptr;
    Room<std::int32_t> from;
};

Predecessors predecessors(const ModelView& m) {
    Predecessors p;
    p.ptr.assign(at(m.n_states) + 1, 0);
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t r = 0; r < m.n_rows; ++r)
            rows.each(r, [&](std::int32_t j, double) { ++p.ptr[at(j)]; });
        for (std::int64_t s = 0; s < m.n_states; ++s) p.ptr[at(s) + 1] += p.ptr[at(s)];
        p.from.resize(at(p.ptr[at(m.n_states)]));
        // Filled from the last to the first, each pointer ends where its states begin.
        for (std::int64_t s = m.n_states; s-- > 0;)
            for (std::int64_t r = m.row_end(0, s); r-- > m.row_begin(0, s);)
                rows.each(r, [&](std::int32_t j, double) {
                    p.from[at(--p.ptr[at(j)])] = static_cast<std::int32_t>(s);
                });
    });
    return p;
}

}  // namespace

Room<std::int32_t> backward_order(const ModelView& m, Origin origin) {
    const Predecessors p = predecessors(m);
    Room<double> most(at(m.n_states), -std::numeric_limits<double>::infinity());
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t s = 0; s < m.n_states; ++s)
            for (std::int64_t r = m.row_begin(0, s); r < m.row_end(0, s); ++r)
                most[at(s)] = std::max(most[at(s)], origin == Origin::exits
                                                        ? static_cast<double>(rows.exit(r) > 0.0)
                                                        : m.reward[r]);
    });
    const double largest = *std::max_element(most.begin(), most.end());
    Room<std::int32_t> order;
    order.reserve(at(m.n_states));
    Room<char> seen(at(m.n_states), 0);
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

namespace {

// 1 - discount P(s | s) of a row of s; at discount 1 what leaves, as a sum that does not cancel.
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
    return discount < 1.0 ? 1.0 - discount * (stay / sum) : leave / sum;
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
    const std::int64_t longest = m.longest_row;
    const bool filled = longest <= longest_filled_row && longest * m.n_rows <= 2 * m.n_entries;
    width_ = filled ? longest : 0;
    const std::size_t room = at(width_ > 0 ? width_ * m.n_rows : m.n_entries);
    first_.resize(at(n) + 1);
    first_[0] = 0;
    if (width_ == 0) ptr_.assign(at(m.n_rows) + 1, 0);
    reward_.resize(at(m.n_rows));
    col_.resize(room);
    prob_.resize(room);
    std::vector<std::pair<std::int32_t, double>> row;
    std::size_t next = 0, to = 0;
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t i = 0; i < n; ++i) {
            const std::int32_t s = order_[at(i)];
            chosen_[i] = first_[at(i)] + (start[at(s)] - m.row_begin(0, s));
            for (std::int64_t r = m.row_begin(0, s); r < m.row_end(0, s); ++r, ++next) {
                const double sum = m.defect ? 1.0 + m.defect[r] : 1.0;
                const double away = chance_to_move(rows, r, s, discount, sum);
                reward_[next] =
                    away == 0.0 ? -std::numeric_limits<double>::infinity() : m.reward[r] / away;
                const double scale = discount / (sum * away);
                row.clear();
                rows.each(r, [&](std::int32_t j, double p) {
                    if (j == s || away == 0.0) return;
                    row.emplace_back(position[at(j)], scale * p);
                    // Columns ascend in the new order too.
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
                copy_up_to(n);
                if (width_ == 0) ptr_[next + 1] = static_cast<std::int64_t>(to);
            }
            first_[at(i) + 1] = static_cast<std::int64_t>(next);
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
                if (away == 0.0) return -std::numeric_limits<double>::infinity();
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
    const auto filled = [&](auto width) {
        return sweep(value, backwards, [=](std::int64_t, std::int64_t r) RLT_INLINED {
            double x = reward[r];
            for (std::int64_t k = r * width(); k < (r + 1) * width(); ++k)
                x += prob[k] * value[col[k]];
            return x;
        });
    };
    switch (width_) {
        case 1:
            return filled(std::integral_constant<int, 1>{});
        case 2:
            return filled(std::integral_constant<int, 2>{});
        case 3:
            return filled(std::integral_constant<int, 3>{});
        case 4:
            return filled(std::integral_constant<int, 4>{});
        default:
            break;
    }
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
    for (std::int64_t i = 0; i < m_.n_states; ++i) {
        const std::int64_t r = chosen_[i];
        double x = reward_[at(r)] - value[i];
        for (std::int64_t k = begin(r); k < begin(r + 1); ++k)
            x += prob_[at(k)] * value[col_[at(k)]];
        see(i, x);
    }
    return largest + doubt;
}

void OrderedRows::chain(double kept_fill, PolicyChain& equations) const {
    if (in_place()) {
        equations = {};  // memory counts more than time here
        equations = PolicyChain(m_, discount_, chosen_);
    } else
        equations.assign({m_.n_states, width_ > 0 ? nullptr : ptr_.data(), width_, col_.data(),
                          prob_.data(), chosen_, 1.0, -1.0},
                         kept_fill);
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
