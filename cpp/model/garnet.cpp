#include "model/garnet.hpp"

#include <algorithm>
#include <unordered_set>
#include <vector>

namespace rlt {

namespace {

// Floyd's algorithm: a uniform subset of `count` of the states 0..n-1, ascending.
void draw_subset(std::int64_t n, std::int64_t count, Philox& random,
                 std::unordered_set<std::int32_t>& taken, std::int32_t* out) {
    constexpr std::int64_t few = 64;
    taken.clear();
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t last = n - count + i;
        auto pick = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(last) + 1));
        const bool repeated =
            count <= few ? std::find(out, out + i, pick) != out + i : taken.count(pick) != 0;
        if (repeated) pick = static_cast<std::int32_t>(last);
        if (count > few) taken.insert(pick);
        out[i] = pick;
    }
    std::sort(out, out + count);
}

}  // namespace

void garnet(GarnetSize size, Philox& random, std::int32_t* col, double* prob, double* reward) {
    std::unordered_set<std::int32_t> taken;
    std::vector<double> cuts(static_cast<std::size_t>(size.branching) + 1);
    for (std::int64_t row = 0; row < size.rows; ++row) {
        draw_subset(size.n_states, size.branching, random, taken, col);
        cuts.front() = 0.0;
        cuts.back() = 1.0;
        for (std::int64_t k = 1; k < size.branching; ++k)
            cuts[static_cast<std::size_t>(k)] = random.uniform();
        std::sort(cuts.begin(), cuts.end());
        for (std::int64_t k = 0; k < size.branching; ++k)
            prob[k] = cuts[static_cast<std::size_t>(k) + 1] - cuts[static_cast<std::size_t>(k)];
        reward[row] = random.uniform();
        col += size.branching;
        prob += size.branching;
    }
}

}  // namespace rlt
