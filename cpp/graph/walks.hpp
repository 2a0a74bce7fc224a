// Walks of a given number of arcs: V_0 = 0, V_t(v) = max over arcs of w + V_{t-1}(to).
#pragma once

#include "graph/arcs.hpp"
#include "support/monitor.hpp"

namespace rlt {

// values[t] = V_t(start) for t = 0 .. horizon. With `tables`, rows of one entry a vertex, V_t is
// kept; without, two rows are. Integers need horizon * |w| < 2^63.
template <class Weight>
void best_walks(const Arcs<Weight>& arcs, std::int64_t horizon, std::int64_t start, Weight* values,
                Weight* tables, const Monitor& monitor);

}  // namespace rlt
