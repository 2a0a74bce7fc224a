#include "support/dense_dot.hpp"

#include <cstring>

namespace rlt {

namespace {

[[gnu::always_inline]] inline double eight_lane_dot(const double* a, const double* b,
                                                    std::int64_t n) {
    double lane[8] = {};
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int l = 0; l < 8; ++l) lane[l] += a[i + l] * b[i + l];
    for (int l = 0; i + l < n; ++l) lane[l] += a[i + l] * b[i + l];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// Four rows at once, each summed as eight_lane_dot does it: more streams keep memory busier. With
// `ahead`, the four rows after them are asked for meanwhile, into the second cache, and what comes
// next of these into the first.
template <bool ahead>
[[gnu::always_inline]] inline void eight_lane_dots(const double* a, std::int64_t stride,
                                                   const double* b, std::int64_t n, double* out) {
    double lane[4][8] = {};
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int r = 0; r < 4; ++r) {
            if constexpr (ahead) {
                __builtin_prefetch(a + r * stride + i + 64);
                __builtin_prefetch(a + (4 + r) * stride + i, 0, 2);
            }
            for (int l = 0; l < 8; ++l) lane[r][l] += a[r * stride + i + l] * b[i + l];
        }
    for (int r = 0; r < 4; ++r) {
        for (int l = 0; i + l < n; ++l) lane[r][l] += a[r * stride + i + l] * b[i + l];
        out[r] = ((lane[r][0] + lane[r][4]) + (lane[r][2] + lane[r][6])) +
                 ((lane[r][1] + lane[r][5]) + (lane[r][3] + lane[r][7]));
    }
}

// Rows of a model that lies in memory, and of which eight fit the cache of one core. Smaller ones
// are read from a cache as they are, and larger ones would be thrown out before they are used.
bool worth_asking(std::int64_t stride) { return stride >= far_row && stride <= 8192; }

void dots_generic(const double* a, std::int64_t stride, const double* b, std::int64_t n,
                  double* out) {
    eight_lane_dots<false>(a, stride, b, n, out);
}

double dot_generic(const double* a, const double* b, std::int64_t n) {
    return eight_lane_dot(a, b, n);
}

#if RLT_X86_DISPATCH
[[gnu::target("avx2")]] double dot_avx2(const double* a, const double* b, std::int64_t n) {
    return eight_lane_dot(a, b, n);
}

[[gnu::target("avx2")]] void dots_avx2(const double* a, std::int64_t stride, const double* b,
                                       std::int64_t n, double* out) {
    if (worth_asking(stride))
        eight_lane_dots<true>(a, stride, b, n, out);
    else
        eight_lane_dots<false>(a, stride, b, n, out);
}

bool has_avx2() {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") != 0;
}
#else
constexpr auto dot_avx2 = dot_generic;
constexpr auto dots_avx2 = dots_generic;

bool has_avx2() { return false; }
#endif

}  // namespace

double (*dense_dot)(const double*, const double*, std::int64_t) = has_avx2() ? dot_avx2
                                                                             : dot_generic;

void (*dense_dots)(const double*, std::int64_t, const double*, std::int64_t,
                   double*) = has_avx2() ? dots_avx2 : dots_generic;

namespace {

bool widest = true;

}  // namespace

bool set_instruction_set(const char* name) {
    if (std::strcmp(name, "auto") == 0) {
        dense_dot = has_avx2() ? dot_avx2 : dot_generic;
        dense_dots = has_avx2() ? dots_avx2 : dots_generic;
    } else if (std::strcmp(name, "generic") == 0) {
        dense_dot = dot_generic;
        dense_dots = dots_generic;
    } else if (std::strcmp(name, "avx2") == 0 && has_avx2()) {
        dense_dot = dot_avx2;
        dense_dots = dots_avx2;
    } else {
        return false;
    }
    widest = std::strcmp(name, "auto") == 0;
    return true;
}

bool has_wide_registers() { return dense_dot != dot_generic; }

bool may_use_widest() { return widest; }

const char* instruction_set() { return dense_dot == dot_generic ? "generic" : "avx2"; }

}  // namespace rlt
