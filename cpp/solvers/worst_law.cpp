#include "solvers/worst_law.hpp"

namespace rlt {

namespace {

DoubleDouble minus(DoubleDouble a, DoubleDouble b) { return a + DoubleDouble{-b.high, -b.low}; }

}  // namespace

void make_worst(const Ambiguity& ambiguity, std::int64_t index, const PreciseOutlook& o,
                DoubleDouble delta, std::vector<Mass>& law) {
    using worst::below;
    const auto value_of = [&](std::int32_t j) { return o.value[static_cast<std::size_t>(j)]; };
    if (ambiguity.kind == Ambiguity::Kind::intervals) {
        law.clear();
        DoubleDouble left = delta + 1.0;
        for (std::int64_t k = ambiguity.row_ptr[index]; k < ambiguity.row_ptr[index + 1]; ++k) {
            const std::int32_t c = ambiguity.col[k];
            law.push_back({c, two_sum(ambiguity.high[k], -ambiguity.low[k]), value_of(c)});
            left = left + (-ambiguity.low[k]);
        }
        // In the order of columns first, so that equal values are filled from the first one.
        std::vector<std::int32_t> at(law.size());
        for (std::size_t i = 0; i < at.size(); ++i) at[i] = static_cast<std::int32_t>(i);
        std::stable_sort(at.begin(), at.end(), [&](std::int32_t a, std::int32_t b) {
            return below(law[static_cast<std::size_t>(a)].value,
                         law[static_cast<std::size_t>(b)].value);
        });
        for (const std::int32_t i : at) {
            DoubleDouble& mass = law[static_cast<std::size_t>(i)].mass;
            const std::int64_t k = ambiguity.row_ptr[index] + i;
            if (!(left.high > 0.0)) {
                mass = {ambiguity.low[k], 0.0};
            } else if (below(left, mass)) {
                mass = left + ambiguity.low[k];
                left = {0.0, 0.0};
            } else {
                left = minus(left, mass);
                mass = {ambiguity.high[k], 0.0};
            }
        }
        return;
    }
    DoubleDouble budget = (0.5 * ambiguity.radius[index]) * (delta + 1.0);
    if (!(budget.high > 0.0)) return;
    // What receives mass, taken out of the list; of equal values the first outcome.
    Mass target{o.lowest, {0.0, 0.0}, value_of(o.lowest)};
    std::size_t at = law.size();
    if (ambiguity.support_only) {
        at = 0;
        for (std::size_t i = 1; i < law.size(); ++i)
            if (below(law[i].value, law[at].value)) at = i;
    } else {
        for (std::size_t i = 0; i < law.size(); ++i)
            if (law[i].outcome == o.lowest) at = i;
    }
    if (at < law.size()) {
        target = law[at];
        law[at] = law.back();
        law.pop_back();
    }
    const auto less = [&](const Mass& a, const Mass& b) {
        return below(a.value, b.value) || (!below(b.value, a.value) && a.outcome > b.outcome);
    };
    std::make_heap(law.begin(), law.end(), less);
    DoubleDouble moved;
    for (auto last = law.end(); last != law.begin() && budget.high > 0.0;) {
        std::pop_heap(law.begin(), last, less);
        DoubleDouble& mass = (--last)->mass;
        if (below(budget, mass)) {
            mass = minus(mass, budget);
            moved = moved + budget;
            budget = {0.0, 0.0};
        } else {
            moved = moved + mass;
            budget = minus(budget, mass);
            mass = {0.0, 0.0};
        }
    }
    target.mass = target.mass + moved;
    law.push_back(target);
}

}  // namespace rlt
