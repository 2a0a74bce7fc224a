// A graph with weights on its arcs. Every vertex has an arc that leaves it.
#pragma once

#include <cstdint>

#include "support/int128.hpp"

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

// What a mean is made of, and potentials: h(v) = w - g + h(to) along an arc.
//
// Doubles are rounded. Integers are exact: a mean g is a reduced fraction sum / length, and the
// potentials of vertices with that gain are integers in units of 1 / length. With |w| <= 2^62 and
// fewer than 2^31 vertices nothing overflows: |sum| <= 2^93, products of two gains' parts are below
// 2^124, |length * w - sum| <= 2^94, and a potential adds up fewer than 2^31 of these: below 2^125.
template <class Weight>
struct MeanOf;

template <>
struct MeanOf<double> {
    using Gain = double;
    using Potential = double;

    static Potential step(Gain g, double w, Potential ahead) { return (w - g) + ahead; }
};

template <>
struct MeanOf<std::int64_t> {
    struct Gain {
        Int128 sum = 0;
        std::int64_t length = 1;
    };
    using Potential = Int128;

    static Potential step(const Gain& g, std::int64_t w, Potential ahead) {
        return Int128{g.length} * w - g.sum + ahead;
    }
};

inline bool less(double a, double b) { return a < b; }
inline bool less(const MeanOf<std::int64_t>::Gain& a, const MeanOf<std::int64_t>::Gain& b) {
    return a.sum * b.length < b.sum * a.length;
}

}  // namespace rlt
