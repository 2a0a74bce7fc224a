// Rows of at most four entries, all filled up to the same number: loops of a fixed length without
// branches, since one that is mispredicted takes longer than the arithmetic of such a row.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "support/inlined.hpp"

namespace rlt {

constexpr std::int64_t most_few_entries = 4;

// Calls f(width) with a number the compiler knows.
template <class F>
decltype(auto) with_few(std::int64_t width, F&& f) {
    switch (width) {
        case 1:
            return f(std::integral_constant<int, 1>{});
        case 2:
            return f(std::integral_constant<int, 2>{});
        case 3:
            return f(std::integral_constant<int, 3>{});
        default:
            return f(std::integral_constant<int, 4>{});
    }
}

// x or, if not kept, +0. Compilers choose between integers without a branch, between doubles not.
RLT_INLINED inline double kept_if(bool keep, double x) {
    return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) &
                                 -static_cast<std::uint64_t>(keep));
}

// Sorts the entries of a row by column.
template <int width>
RLT_INLINED inline void sort_few(std::int32_t* col, double* value) {
    const auto in_order = [&](int a, int b) RLT_INLINED {
        const std::int32_t left = col[a], right = col[b];
        const auto first = std::bit_cast<std::uint64_t>(value[a]);
        const auto second = std::bit_cast<std::uint64_t>(value[b]);
        const bool swapped = right < left;
        const std::uint64_t change = (first ^ second) & -static_cast<std::uint64_t>(swapped);
        col[a] = swapped ? right : left;
        col[b] = swapped ? left : right;
        value[a] = std::bit_cast<double>(first ^ change);
        value[b] = std::bit_cast<double>(second ^ change);
    };
    if constexpr (width == 2) {
        in_order(0, 1);
    } else if constexpr (width == 3) {
        in_order(0, 1);
        in_order(1, 2);
        in_order(0, 1);
    } else if constexpr (width == 4) {
        in_order(0, 1);
        in_order(2, 3);
        in_order(0, 2);
        in_order(1, 3);
        in_order(1, 2);
    }
}

// Stores the entries of a row one by one: put together to vectors first, they would wait for one
// another in memory.
template <int width>
RLT_INLINED inline void store_few(const std::int32_t* col, const double* value,
                                  std::int32_t* to_col, double* to_value) {
    for (int k = 0; k < width; ++k) {
        to_col[k] = col[k];
        std::atomic_signal_fence(std::memory_order_seq_cst);
        to_value[k] = value[k];
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
}

}  // namespace rlt
