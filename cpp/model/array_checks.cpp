#include "model/array_checks.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "support/dense_dot.hpp"
#include "support/inlined.hpp"
#include "support/lanes.hpp"

namespace rlt {

namespace {

// So many bytes further on are asked for: arrays of some megabytes lie in small pages, where the
// processor's own guesses end.
template <class T>
RLT_INLINED inline void ask_ahead(const T* from) {
    __builtin_prefetch(reinterpret_cast<const char*>(from) + 2048);
}

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
    if (size < 1) return true;
    std::int32_t signs = pointers[0];
    wide[0] = pointers[0];
    for (std::int64_t i = 1; i < size; ++i) {
        wide[i] = pointers[i];
        signs |= -static_cast<std::int32_t>(pointers[i] < pointers[i - 1]);
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
        Marks s, a, s_before, a_before;
        ask_ahead(state + i);
        ask_ahead(action + i);
        read(s, state + i);
        read(a, action + i);
        read(s_before, state + i - 1);
        read(a_before, action + i - 1);
        wrong |= (s_before > s) | ((s_before == s) & (a_before >= a)) | a;
        most = a > most ? a : most;
    }
    for (; i < size; ++i) {
        rest |= state[i - 1] > state[i] ||
                (state[i - 1] == state[i] && action[i - 1] >= action[i]) || action[i] < 0;
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
#else
constexpr auto all_finite_avx2 = all_finite_in<2>;
constexpr auto ascend_avx2 = ascend_in<2>;
constexpr auto widen_avx2 = widen_in;
constexpr auto pairs_ascend_avx2 = pairs_ascend_in<2>;
#endif

}  // namespace

bool all_finite(const double* x, std::int64_t size) {
    return has_wide_registers() ? all_finite_avx2(x, size) : all_finite_in<2>(x, size);
}

bool ascend(const std::int64_t* pointers, std::int64_t size) {
    return has_wide_registers() ? ascend_avx2(pointers, size) : ascend_in<2>(pointers, size);
}

bool widen(const std::int32_t* pointers, std::int64_t size, std::int64_t* wide) {
    return has_wide_registers() ? widen_avx2(pointers, size, wide) : widen_in(pointers, size, wide);
}

bool pairs_ascend(const std::int64_t* state, const std::int64_t* action, std::int64_t size,
                  std::int64_t& largest) {
    return has_wide_registers() ? pairs_ascend_avx2(state, action, size, largest)
                                : pairs_ascend_in<2>(state, action, size, largest);
}

}  // namespace rlt
