#include "solvers/ambiguity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "solvers/worst_law.hpp"

namespace rlt {

std::int64_t Ambiguity::most_outcomes(const ModelView& m) const {
    if (kind == Kind::l1) return m.longest_row + 2;
    std::int64_t most = 0;
    for (std::int64_t r = 0; r + 1 < row_ptr.size; ++r)
        most = std::max(most, row_ptr[r + 1] - row_ptr[r]);
    return most;
}

bool Ambiguity::is_full(std::int64_t index, std::int64_t outcomes) const {
    const std::int64_t begin = row_ptr[index], end = row_ptr[index + 1];
    return outcomes > 0 && end - begin == outcomes && col[end - 1] == outcomes - 1;
}

std::int64_t Ambiguity::sweep_work(const ModelView& m) const {
    return kind == Kind::l1 ? 4 * m.sweep_work() : 8 * col.size + 2 * m.n_rows / m.n_stages;
}

Outlook::Outlook(const ModelView& m, const Ambiguity& ambiguity)
    : value(static_cast<std::size_t>(m.n_states) + 1), ends_(m.has_exits) {
    if (ambiguity.kind == Ambiguity::Kind::l1) {
        sorted_ = m.storage == Storage::dense;
    } else {
        sorted_ = false;
        for (const std::int64_t outcomes : {m.n_states, m.n_states + 1})
            for (std::int64_t r = 0; r + 1 < ambiguity.row_ptr.size && !sorted_; ++r)
                if (ambiguity.is_full(r, outcomes)) {
                    sorted_ = true;
                    ends_ = outcomes > m.n_states;
                }
    }
    if (sorted_) order.resize(static_cast<std::size_t>(m.n_states + (ends_ ? 1 : 0)));
}

void Outlook::look(const double* given, double sign_) {
    sign = sign_;
    const std::size_t n = value.size() - 1;
    for (std::size_t s = 0; s < n; ++s) value[s] = sign * given[s];
    value[n] = 0.0;
    least = ends_ ? 0.0 : std::numeric_limits<double>::infinity();
    for (std::size_t s = 0; s < n; ++s) least = std::min(least, value[s]);
    if (!sorted_) return;
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [this](std::int32_t a, std::int32_t b) {
        const double x = value[static_cast<std::size_t>(a)], y = value[static_cast<std::size_t>(b)];
        return x > y || (x == y && a < b);
    });
}

PreciseOutlook::PreciseOutlook(const ModelView& m, const double* head, const double* tail,
                               double sign_)
    : sign(sign_), value(static_cast<std::size_t>(m.n_states) + 1) {
    const auto n = static_cast<std::size_t>(m.n_states);
    for (std::size_t s = 0; s < n; ++s) {
        value[s] = {sign * head[s], tail ? sign * tail[s] : 0.0};
        largest = std::max(largest, std::abs(head[s]));
    }
    value[n] = {0.0, 0.0};
    lowest = m.has_exits ? static_cast<std::int32_t>(n) : 0;
    for (std::size_t s = 0; s < n; ++s)
        if (worst::below(value[s], value[static_cast<std::size_t>(lowest)]))
            lowest = static_cast<std::int32_t>(s);
}

}  // namespace rlt
