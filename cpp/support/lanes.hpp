// Several doubles at once, in the registers of one kind of processor: a kernel is a template over
// `Lanes<2>`, `Lanes<4>` or `Lanes<8>`, inlined into functions compiled for 16, 32 or 64 bytes.
// No operation here is contracted or reordered, so every width gives the same bits.
#pragma once

#include <cstdint>
#include <cstring>

namespace rlt {

template <int L>
struct Lanes;

template <>
struct Lanes<2> {
    typedef double Doubles __attribute__((vector_size(16)));
    typedef std::int64_t Marks __attribute__((vector_size(16)));
    typedef std::uint64_t Words __attribute__((vector_size(16)));
    typedef std::int32_t Columns __attribute__((vector_size(16)));
    static constexpr std::int64_t count = 2;
};

template <>
struct Lanes<4> {
    typedef double Doubles __attribute__((vector_size(32)));
    typedef std::int64_t Marks __attribute__((vector_size(32)));
    typedef std::uint64_t Words __attribute__((vector_size(32)));
    typedef std::int32_t Columns __attribute__((vector_size(32)));
    static constexpr std::int64_t count = 4;
};

template <>
struct Lanes<8> {
    typedef double Doubles __attribute__((vector_size(64)));
    typedef std::int64_t Marks __attribute__((vector_size(64)));
    typedef std::uint64_t Words __attribute__((vector_size(64)));
    typedef std::int32_t Columns __attribute__((vector_size(64)));
    static constexpr std::int64_t count = 8;
};

// Arrays are padded to, and begin at, multiples of the widest registers.
struct alignas(64) EightDoubles {
    double lane[8];
};

inline std::int64_t padded(std::int64_t n) { return (n + 7) / 8 * 8; }

template <class D>
[[gnu::always_inline]] inline void load(D& x, const double* from) {
    std::memcpy(&x, from, sizeof x);
}

template <class D>
[[gnu::always_inline]] inline void store(double* to, const D& x) {
    std::memcpy(to, &x, sizeof x);
}

template <class D>
[[gnu::always_inline]] inline void take_min(D& x, const D& y) {
    x = y < x ? y : x;
}

template <class D>
[[gnu::always_inline]] inline void take_max(D& x, const D& y) {
    x = y > x ? y : x;
}

// {a0 b0 a2 b2}, {a1 b1 a3 b3}, {a0 a1 b0 b1} and {a2 a3 b2 b3} of four lanes.
#if defined(__clang__)
#define RLT_SHUFFLED(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define RLT_SHUFFLED(a, b, i, j, k, l) __builtin_shuffle(a, b, Lanes<4>::Marks{i, j, k, l})
#endif

template <class D>
[[gnu::always_inline]] inline void even_lanes(const D& a, const D& b, D& out) {
    out = RLT_SHUFFLED(a, b, 0, 4, 2, 6);
}

template <class D>
[[gnu::always_inline]] inline void odd_lanes(const D& a, const D& b, D& out) {
    out = RLT_SHUFFLED(a, b, 1, 5, 3, 7);
}

template <class D>
[[gnu::always_inline]] inline void lower_halves(const D& a, const D& b, D& out) {
    out = RLT_SHUFFLED(a, b, 0, 1, 4, 5);
}

template <class D>
[[gnu::always_inline]] inline void upper_halves(const D& a, const D& b, D& out) {
    out = RLT_SHUFFLED(a, b, 2, 3, 6, 7);
}

#undef RLT_SHUFFLED

template <class D>
[[gnu::always_inline]] inline void take_root(D& x) {
    constexpr int n = static_cast<int>(sizeof x / sizeof(double));
    double lane[n];
    store(lane, x);
    for (int l = 0; l < n; ++l) lane[l] = __builtin_sqrt(lane[l]);
    load(x, lane);
}

}  // namespace rlt
