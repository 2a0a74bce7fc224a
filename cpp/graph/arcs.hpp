// A graph with weights on its arcs. Every vertex has an arc that leaves it.
#pragma once

#include <cstdint>

namespace rlt {

// Arcs of vertex v are ptr[v] .. ptr[v + 1] - 1.
template <class Weight>
struct Arcs {
    std::int64_t vertices = 0;
    const std::int64_t* ptr = nullptr;
    const std::int32_t* to = nullptr;
    const Weight* weight = nullptr;

    std::int64_t first(std::int64_t v) const { return ptr[v]; }
    std::int64_t count() const { return ptr[vertices]; }
};

}  // namespace rlt
