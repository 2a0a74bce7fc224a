// The rows that a policy picks, gathered into one stretch of memory: a sweep of T_pi then reads as
// little as there is, in order. What it computes is what sweeping the model's own rows gives.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "graph/cyclic_classes.hpp"
#include "model/view.hpp"
#include "solvers/backups.hpp"
#include "support/room.hpp"

namespace rlt {

class PolicyRows {
public:
    explicit PolicyRows(const ModelView& m) : m_(m) {}

    // Follows this policy from now on, one row a state; whether it is another one than before. Only
    // rows that changed are read.
    bool gather(const std::int64_t* chosen);

    // Calls f(next), next(s, value) being (P_pi value)(s); `rows` are the model's.
    template <class Rows, class F>
    decltype(auto) with_next(const Rows& rows, F&& f) const {
        if constexpr (std::is_same_v<Rows, CsrRows>) {
            ModelView mine = m_;
            mine.row_ptr = ptr_.data();
            mine.col = col_.data();
            mine.prob = prob_.data();
            const CsrRows gathered(mine);
            return f([this, gathered](std::int64_t s, const double* value) {
                return corrected(s, gathered.next_dot(s, value));
            });
        } else {
            return f([this, rows](std::int64_t s, const double* value) {
                return corrected(s, rows.dot(chosen_[static_cast<std::size_t>(s)], value));
            });
        }
    }
    template <class F>
    decltype(auto) with_next(F&& f) const {
        return with_rows(m_, [&](const auto& rows) { return with_next(rows, f); });
    }

    // Calls f(backup), backup(s, value) being the backup of the row that state s follows.
    template <class Rows, class F>
    decltype(auto) with_backup(const Rows& rows, double discount, F&& f) const {
        return with_next(rows, [&](const auto& next) {
            return f([this, next, discount](std::int64_t s, const double* value) {
                return reward_[static_cast<std::size_t>(s)] + discount * next(s, value);
            });
        });
    }
    template <class F>
    decltype(auto) with_backup(double discount, F&& f) const {
        return with_rows(m_, [&](const auto& rows) { return with_backup(rows, discount, f); });
    }

    // out = T_pi value, and the extremes of the change.
    Extremes sweep(double discount, const double* value, double* out) const;

    // The same in place, class after class from the last one back, so that one sweep is as many
    // steps as there are classes; the extremes of the change of class 0. States of one class do not
    // lead to each other: their order does not matter.
    Extremes sweep_around(double discount, const CyclicClasses& classes, double* value) const;

    // out = (I - discount P_pi) x.
    void equations(double discount, const double* x, double* out) const;

private:
    // Entries of the policy's rows.
    std::int64_t entries() const;
    double corrected(std::int64_t s, double dot) const {
        if (m_.rows_need_correction) dot -= m_.defect[chosen_[static_cast<std::size_t>(s)]] * dot;
        return dot;
    }
    void copy_row(std::size_t state);

    const ModelView& m_;
    Room<std::int64_t> chosen_;
    Room<std::int64_t> ptr_;
    Room<std::int32_t> col_;
    Room<double> prob_;
    Room<double> reward_;
};

}  // namespace rlt
