// Walks of a given number of arcs: V_0 = 0, V_t(v) = max over arcs of w + V_{t-1}(to); and what
// potentials prove about walks that never end.
#pragma once

#include "graph/arcs.hpp"
#include "support/monitor.hpp"

namespace rlt {

// values[t] = V_t(start) for t = 0 .. horizon. With `tables`, rows of one entry a vertex, V_t is
// kept; without, two rows are. Integers need horizon * |w| < 2^63.
template <class Weight>
void best_walks(const Arcs<Weight>& arcs, std::int64_t horizon, std::int64_t start, Weight* values,
                Weight* tables, const Monitor& monitor);

// upper[l] >= w + h(to) - h(from) along all arcs within level l: no cycle there has a larger mean.
// Returns whether no arc leads to a higher level, so that every cycle keeps to one.
bool bound_levels(const Arcs<double>& arcs, const std::int32_t* level, const double* h,
                  std::int64_t levels, double* upper);

}  // namespace rlt
