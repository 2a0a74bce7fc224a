#include "model/array_checks.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "support/ask_ahead.hpp"
#include "support/dense_dot.hpp"
#include "support/inlined.hpp"
#include "support/lanes.hpp"

namespace rlt {

namespace {

template <class To, class From>
RLT_INLINED inline void read(To& x, const From* from) {
    std::memcpy(&x, from, sizeof x);
}

template <int L>
RLT_INLINED inline bool any_sign(const typename Lanes<L>::Marks& signs, std::int64_t rest) {
    for (int l = 0; l < L; ++l) rest |= signs[l];
    return rest < 0;
}

template <int L>
RLT_INLINED inline bool all_finite_in(const double* x, std::int64_t size) {
    using Marks = typename Lanes<L>::Marks;
    constexpr auto largest = std::bit_cast<std::int64_t>(std::numeric_limits<double>::max());
    Marks signs{};
    std::int64_t i = 0, rest = 0;
    for (; i + L <= size; i += L) {
        Marks bits;
        ask_ahead(x + i);
        read(bits, x + i);
        signs |= largest - (bits & INT64_MAX);
    }
    for (; i < size; ++i) rest |= largest - (std::bit_cast<std::int64_t>(x[i]) & INT64_MAX);
    return !any_sign<L>(signs, rest);
}

template <int L>
RLT_INLINED inline bool ascend_in(const std::int64_t* pointers, std::int64_t size) {
    using Marks = typename Lanes<L>::Marks;
    Marks wrong{};
    bool rest = size > 0 && pointers[0] < 0;
    std::int64_t i = 1;
    for (; i + L <= size; i += L) {
        Marks now, before;
        read(now, pointers + i);
        read(before, pointers + i - 1);
        wrong |= before > now;
    }
    for (; i < size; ++i) rest |= pointers[i - 1] > pointers[i];
    return !rest && !any_sign<L>(wrong, 0);
}

RLT_INLINED inline bool widen_in(const std::int32_t* pointers, std::int64_t size,
                                 std::int64_t* wide) {
    constexpr std::int64_t at_once = 512;
    if (size < 1) return true;
    std::int32_t signs = pointers[0];
    wide[0] = pointers[0];
    for (std::int64_t begin = 1; begin < size; begin += at_once) {
        const std::int64_t end = std::min(size, begin + at_once);
        for (std::int64_t i = end; i < std::min(size, end + at_once); i += 8) {
            __builtin_prefetch(pointers + i);
            __builtin_prefetch(wide + i, 1);
        }
        for (std::int64_t i = begin; i < end; ++i) {
            wide[i] = pointers[i];
            signs |= -static_cast<std::int32_t>(pointers[i] < pointers[i - 1]);
        }
    }
    return signs >= 0;
}

template <int L>
RLT_INLINED inline bool pairs_ascend_in(const std::int64_t* state, const std::int64_t* action,
                                        std::int64_t size, std::int64_t& largest) {
    using Marks = typename Lanes<L>::Marks;
    Marks wrong{}, most = Marks{} + largest;
    bool rest = false;
    std::int64_t i = 0;
    for (; i + L <= size; i += L) {
        typename Lanes<L>::Words s, s_before;  // differences may overflow
        Marks a, a_before;
        ask_ahead(state + i);
        ask_ahead(action + i);
        read(s, state + i);
        read(a, action + i);
        read(s_before, state + i - 1);
        read(a_before, action + i - 1);
        const auto step = s - s_before;
        wrong |= ~((step == 1) | ((step == 0) & (a > a_before))) | a;
        most = a > most ? a : most;
    }
    for (; i < size; ++i) {
        const auto step =
            static_cast<std::uint64_t>(state[i]) - static_cast<std::uint64_t>(state[i - 1]);
        rest |= !(step == 1 || (step == 0 && action[i] > action[i - 1])) || action[i] < 0;
        largest = std::max(largest, action[i]);
    }
    for (int l = 0; l < L; ++l) largest = std::max<std::int64_t>(largest, most[l]);
    return !rest && !any_sign<L>(wrong, 0);
}

#if RLT_X86_DISPATCH
[[gnu::target("avx2")]] bool all_finite_avx2(const double* x, std::int64_t size) {
    return all_finite_in<4>(x, size);
}

[[gnu::target("avx2")]] bool ascend_avx2(const std::int64_t* pointers, std::int64_t size) {
    return ascend_in<4>(pointers, size);
}

[[gnu::target("avx2")]] bool widen_avx2(const std::int32_t* pointers, std::int64_t size,
                                        std::int64_t* wide) {
    return widen_in(pointers, size, wide);
}

[[gnu::target("avx2")]] bool pairs_ascend_avx2(const std::int64_t* state,
                                               const std::int64_t* action, std::int64_t size,
                                               std::int64_t& largest) {
    return pairs_ascend_in<4>(state, action, size, largest);
}
#endif

}  // namespace

bool all_finite(const double* x, std::int64_t size) {
#if RLT_X86_DISPATCH
    if (has_wide_registers()) return all_finite_avx2(x, size);
#endif
    return all_finite_in<2>(x, size);
}

bool ascend(const std::int64_t* pointers, std::int64_t size) {
#if RLT_X86_DISPATCH
    if (has_wide_registers()) return ascend_avx2(pointers, size);
#endif
    return ascend_in<2>(pointers, size);
}

bool widen(const std::int32_t* pointers, std::int64_t size, std::int64_t* wide) {
#if RLT_X86_DISPATCH
    if (has_wide_registers()) return widen_avx2(pointers, size, wide);
#endif
    return widen_in(pointers, size, wide);
}

bool pairs_ascend(const std::int64_t* state, const std::int64_t* action, std::int64_t size,
                  std::int64_t& largest) {
#if RLT_X86_DISPATCH
    if (has_wide_registers()) return pairs_ascend_avx2(state, action, size, largest);
#endif
    return pairs_ascend_in<2>(state, action, size, largest);
}

}  // namespace rlt
