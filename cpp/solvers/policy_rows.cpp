#include "solvers/policy_rows.hpp"

#include "solvers/few_entries.hpp"

namespace rlt {

namespace {

constexpr std::int64_t rows_ahead = 12;  // how far ahead scattered rows are fetched

void fetch(const void* from, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += 64)
        __builtin_prefetch(static_cast<const char*>(from) + at);
}

}  // namespace

void PolicyRows::copy_row(std::size_t s) {
    const std::int64_t row = chosen_[s];
    const std::int64_t k = m_.row_ptr[row];
    const std::int64_t length = m_.row_ptr[row + 1] - k;
    std::copy_n(m_.col + k, length, col_.data() + ptr_[s]);
    std::copy_n(m_.prob + k, length, prob_.data() + ptr_[s]);
    reward_[s] = m_.reward[row];
}

bool PolicyRows::gather(const std::int64_t* chosen) {
    const auto n = static_cast<std::size_t>(m_.n_states);
    const auto length = [&](std::int64_t row) { return m_.row_ptr[row + 1] - m_.row_ptr[row]; };
    bool fits = !chosen_.empty();
    if (fits && std::equal(chosen_.begin(), chosen_.end(), chosen)) return false;
    if (m_.storage != Storage::csr) {
        chosen_.assign(chosen, chosen + n);
        reward_.resize(n);
        for (std::size_t s = 0; s < n; ++s) reward_[s] = m_.reward[chosen[s]];
        return true;
    }
    for (std::size_t s = 0; s < n && fits; ++s)
        fits = chosen[s] == chosen_[s] || length(chosen[s]) == ptr_[s + 1] - ptr_[s];
    if (fits) {
        for (std::size_t s = 0; s < n; ++s) {
            if (chosen[s] == chosen_[s]) continue;
            chosen_[s] = chosen[s];
            copy_row(s);
        }
        return true;
    }
    chosen_.assign(chosen, chosen + n);
    ptr_.resize(n + 1);
    reward_.resize(n);
    ptr_[0] = 0;
    for (std::size_t s = 0; s < n; ++s) ptr_[s + 1] = ptr_[s] + length(chosen[s]);
    constexpr std::int64_t few = most_few_entries;
    col_.resize(static_cast<std::size_t>(ptr_[n] + few));
    prob_.resize(static_cast<std::size_t>(ptr_[n] + few));
    std::size_t s = 0;
    // Short rows are copied with what comes next: that is overwritten, and a length that varies
    // would be mispredicted.
    if (m_.longest_row <= few)
        for (; s < n && m_.row_ptr[chosen[s]] + few <= m_.n_entries; ++s) {
            std::copy_n(m_.col + m_.row_ptr[chosen[s]], few, col_.data() + ptr_[s]);
            std::copy_n(m_.prob + m_.row_ptr[chosen[s]], few, prob_.data() + ptr_[s]);
            reward_[s] = m_.reward[chosen[s]];
        }
    for (; s < n; ++s) {
        if (s + rows_ahead < n) {
            const std::int64_t k = m_.row_ptr[chosen[s + rows_ahead]];
            const auto terms = static_cast<std::size_t>(length(chosen[s + rows_ahead]));
            fetch(m_.col + k, terms * sizeof(std::int32_t));
            fetch(m_.prob + k, terms * sizeof(double));
        }
        copy_row(s);
    }
    return true;
}

std::int64_t PolicyRows::entries() const {
    return m_.storage == Storage::csr ? ptr_.back() : m_.n_entries / m_.n_rows * m_.n_states;
}

Extremes PolicyRows::sweep(double discount, const double* value, double* out) const {
    return with_backup(discount, [&](const auto& backup_of) {
        return over_states(m_, entries() + 4 * m_.n_states,
                           [&](std::int64_t begin, std::int64_t end) {
                               Extremes e;
                               for (std::int64_t s = begin; s < end; ++s) {
                                   out[s] = backup_of(s, value);
                                   e.see(out[s] - value[s], out[s]);
                               }
                               return e;
                           });
    });
}

void PolicyRows::equations(double discount, const double* x, double* out) const {
    with_next([&](const auto& next) {
        return over_states(m_, entries() + 4 * m_.n_states,
                           [&](std::int64_t begin, std::int64_t end) {
                               for (std::int64_t s = begin; s < end; ++s)
                                   out[s] = x[s] - discount * next(s, x);
                               return Extremes{};
                           });
    });
}

Extremes PolicyRows::sweep_around(double discount, const CyclicClasses& classes,
                                  double* value) const {
    const std::int64_t work_of_state = entries() / m_.n_states + 4;
    return with_backup(discount, [&](const auto& backup_of) {
        Extremes last;
        for (std::size_t k = 0; k + 1 < classes.first.size(); ++k) {
            const std::int32_t* states = classes.states.data() + classes.first[k];
            const std::int64_t size = classes.first[k + 1] - classes.first[k];
            last =
                over_items(size, work_of_state * size, [&](std::int64_t begin, std::int64_t end) {
                    Extremes e;
                    for (std::int64_t i = begin; i < end; ++i) {
                        const std::int32_t s = states[i];
                        const double x = backup_of(s, value);
                        e.see(x - value[s], x);
                        value[s] = x;
                    }
                    return e;
                });
        }
        return last;
    });
}

}  // namespace rlt
