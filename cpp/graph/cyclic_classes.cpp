#include "graph/cyclic_classes.hpp"

#include <numeric>

#include "support/room.hpp"

namespace rlt {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

class Labels {
public:
    explicit Labels(std::int64_t n) : parent_(at(n)), ahead_(at(n), 0) {
        std::iota(parent_.begin(), parent_.end(), 0);
    }

    // Of s, beside that of the state that stands for all that are joined with it.
    std::int64_t label(std::int32_t& s) {
        std::int64_t sum = 0;
        while (parent_[at(s)] != s) {
            const std::size_t i = at(s), next = at(parent_[i]);
            ahead_[i] += ahead_[next];
            parent_[i] = parent_[next];
            sum += ahead_[i];
            s = parent_[i];
        }
        return sum;
    }

    // By how much a step from s to j contradicts the labels; it is made to fit where it may be.
    std::int64_t step(std::int32_t s, std::int32_t j) {
        const std::int64_t here = label(s), there = label(j);
        if (s == j) return here + 1 - there;
        parent_[at(j)] = s;
        ahead_[at(j)] = here + 1 - there;
        return 0;
    }

private:
    Room<std::int32_t> parent_;
    Room<std::int64_t> ahead_;  // of the parent
};

}  // namespace

CyclicClasses cyclic_classes(const ModelView& m) {
    Labels labels(m.n_states);
    std::int64_t count = 0;
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t s = 0; s < m.n_states && count != 1; ++s)
            for (std::int64_t r = m.row_begin(0, s); r < m.row_end(0, s) && count != 1; ++r)
                rows.each(r, [&](std::int32_t j, double) {
                    if (count != 1)
                        count = std::gcd(count, labels.step(static_cast<std::int32_t>(s), j));
                });
    });
    CyclicClasses found;
    if (count <= 1) return found;
    Room<std::int64_t> place(at(m.n_states));
    found.first.assign(at(count) + 1, 0);
    for (std::int64_t s = 0; s < m.n_states; ++s) {
        auto root = static_cast<std::int32_t>(s);
        const std::int64_t rest = labels.label(root) % count;
        place[at(s)] = count - 1 - (rest < 0 ? rest + count : rest);
        ++found.first[at(place[at(s)]) + 1];
    }
    std::partial_sum(found.first.begin(), found.first.end(), found.first.begin());
    std::vector<std::int64_t> next(found.first.begin(), found.first.end() - 1);
    found.states.resize(at(m.n_states));
    for (std::int64_t s = 0; s < m.n_states; ++s)
        found.states[at(next[at(place[at(s)])]++)] = static_cast<std::int32_t>(s);
    return found;
}

}  // namespace rlt
