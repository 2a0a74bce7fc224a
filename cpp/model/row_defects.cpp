#include "model/row_defects.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "support/dense_dot.hpp"
#include "support/lanes.hpp"

namespace rlt {

namespace {

// So many entries further on are asked for while a row is summed: rows follow one another.
constexpr std::int64_t ahead = 1024;

// Signs among the bits of entries, and zeros, which are counted.
template <int L>
struct Look {
    using D = typename Lanes<L>::Doubles;
    typename Lanes<L>::Words signs{};
    typename Lanes<L>::Marks zeros{};

    RLT_INLINED void at(const D& p) {
        typename Lanes<L>::Words bits;
        std::memcpy(&bits, &p, sizeof bits);
        signs |= bits;
        zeros -= p == D{};
    }
};

// Sums of h and t of W entries at once, in registers of L doubles. Which entries a sum is made of
// depends on W only.
template <int L, int W>
struct SplitSums {
    using D = typename Lanes<L>::Doubles;
    static constexpr int count = W / L;
    D high[count], low[count];

    RLT_INLINED SplitSums() {
        for (int i = 0; i < count; ++i) {
            high[i] = D{} - 1.0 / W;
            low[i] = D{};
        }
    }
    RLT_INLINED void add(int i, const D& p) {
        const D h = (0.5 + p) - 0.5;
        high[i] += h;
        low[i] += p - h;
    }
};

template <int L, int W>
RLT_INLINED inline void join(const SplitSums<L, W>& from, SplitSums<2, 2>& to) {
    using D = typename Lanes<L>::Doubles;
    D high[from.count], low[from.count];
    for (int i = 0; i < from.count; ++i) {
        high[i] = from.high[i];
        low[i] = from.low[i];
    }
    for (int half = from.count / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i) {
            high[i] += high[i + half];
            low[i] += low[i + half];
        }
    if constexpr (L == 4) {
        to.high[0] = Lanes<2>::Doubles{high[0][0] + high[0][2], high[0][1] + high[0][3]};
        to.low[0] = Lanes<2>::Doubles{low[0][0] + low[0][2], low[0][1] + low[0][3]};
    } else {
        to.high[0] = high[0];
        to.low[0] = low[0];
    }
}

// delta of one row: W entries at once, then two, then the last and the exit.
template <int L, int W>
RLT_INLINED inline double row_defect(const double* p, std::int64_t n, double exit, Look<L>& look,
                                     Look<2>& rest) {
    std::int64_t k = 0;
    SplitSums<2, 2> pair;
    if (n >= W) {
        SplitSums<L, W> sums;
        for (; k + W <= n; k += W) {
            __builtin_prefetch(p + k + ahead);
            for (int i = 0; i < sums.count; ++i) {
                typename Lanes<L>::Doubles x;
                load(x, p + k + i * L);
                look.at(x);
                sums.add(i, x);
            }
        }
        join(sums, pair);
    }
    for (; k + 2 <= n; k += 2) {
        Lanes<2>::Doubles x;
        load(x, p + k);
        rest.at(x);
        pair.add(0, x);
    }
    const double high = pair.high[0][0] + pair.high[0][1];
    const double low = pair.low[0][0] + pair.low[0][1];
    DefectSum sum(high, low);
    if (k < n) {
        rest.at(Lanes<2>::Doubles{p[k], 1.0});
        sum.add(p[k]);
    }
    sum.add(exit);
    return sum.value();
}

template <int L>
RLT_INLINED inline DenseRowSeen dense_row_defect_in(const double* p, std::int64_t n, double exit) {
    Look<L> look;
    Look<2> rest;
    const double delta = row_defect<L, 8>(p, n, exit, look, rest);
    std::uint64_t signs = rest.signs[0] | rest.signs[1];
    std::int64_t zeros = rest.zeros[0] + rest.zeros[1];
    for (int l = 0; l < L; ++l) {
        signs |= look.signs[l];
        zeros += look.zeros[l];
    }
    return {delta, zeros, signs >> 63 != 0};
}

#if RLT_X86_DISPATCH
[[gnu::target("avx2")]] DenseRowSeen dense_row_defect_avx2(const double* p, std::int64_t n,
                                                           double exit) {
    return dense_row_defect_in<4>(p, n, exit);
}
#endif

}  // namespace

DenseRowSeen dense_row_defect(const double* p, std::int64_t n, double exit) {
#if RLT_X86_DISPATCH
    if (has_wide_registers()) return dense_row_defect_avx2(p, n, exit);
#endif
    return dense_row_defect_in<2>(p, n, exit);
}

}  // namespace rlt
