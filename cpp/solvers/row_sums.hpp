// The sums over one row that residuals in double-double are made of.
#pragma once

#include <cmath>
#include <cstdint>

#include "solvers/certificates.hpp"
#include "support/double_double.hpp"

namespace rlt {

struct RowSum {
    DoubleDouble dot;    // sum p w
    DoubleDouble delta;  // sum p + exit - 1
    double magnitude = 0.0;
};

template <class Rows>
inline RowSum sum_row(const Rows& rows, std::int64_t row, WitnessView next) {
    RowSum s;
    s.delta = two_sum(-1.0, rows.exit(row));
    rows.each(row, [&](std::int32_t j, double p) {
        DoubleDouble term = two_prod(p, next.head[j]);
        if (next.tail) term.low += p * next.tail[j];
        s.dot = s.dot + fast_two_sum(term.high, term.low);
        s.delta = s.delta + p;
        s.magnitude += p * std::abs(next.head[j]);
    });
    return s;
}

}  // namespace rlt
