#include "graph/walks.hpp"

#include <algorithm>
#include <vector>

namespace rlt {

template <class Weight>
void best_walks(const Arcs<Weight>& arcs, std::int64_t horizon, std::int64_t start, Weight* values,
                Weight* tables, const Monitor& monitor) {
    const std::int64_t n = arcs.vertices;
    std::vector<Weight> own(tables == nullptr ? static_cast<std::size_t>(2 * n) : 0);
    Weight* rows = tables != nullptr ? tables : own.data();
    std::fill_n(rows, n, Weight{0});
    values[0] = 0;
    for (std::int64_t t = 1; t <= horizon; ++t) {
        monitor();
        const Weight* before = rows + (tables != nullptr ? t - 1 : (t - 1) % 2) * n;
        Weight* now = rows + (tables != nullptr ? t : t % 2) * n;
        for (std::int64_t v = 0; v < n; ++v) {
            std::int64_t a = arcs.first(v);
            Weight best = arcs.weight[a] + before[arcs.to[a]];
            for (++a; a < arcs.first(v + 1); ++a)
                best = std::max(best, arcs.weight[a] + before[arcs.to[a]]);
            now[v] = best;
        }
        values[t] = now[start];
    }
}

template void best_walks(const Arcs<double>&, std::int64_t, std::int64_t, double*, double*,
                         const Monitor&);
template void best_walks(const Arcs<std::int64_t>&, std::int64_t, std::int64_t, std::int64_t*,
                         std::int64_t*, const Monitor&);

}  // namespace rlt
