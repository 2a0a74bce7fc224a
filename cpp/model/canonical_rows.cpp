#include "model/canonical_rows.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "model/canonical_columns.hpp"
#include "model/row_defects.hpp"
#include "support/dense_dot.hpp"
#include "support/inlined.hpp"
#include "support/lanes.hpp"

namespace rlt {

namespace {

// Of n entries read as 4, 4, .. and the last four, those of the last four that came before: 0.
alignas(64) constexpr std::int64_t left_over[8] = {0, 0, 0, 0, -1, -1, -1, -1};

// Sums of h and t in one register.
template <int L>
struct Sums {
    using D = typename Lanes<L>::Doubles;
    D high = D{} - 0.25, low{};

    RLT_INLINED void add(const D& p) {
        const D h = (0.5 + p) - 0.5;
        high += h;
        low += p - h;
    }
    RLT_INLINED void read(const double* p, D& least) {
        D x;
        load(x, p);
        take_min(least, x);
        add(x);
    }
    // Of the last four, those that were not read before.
    RLT_INLINED void read(const double* p, const std::int64_t* which, D& least) {
        D x;
        typename Lanes<L>::Marks mine, bits;
        load(x, p);
        take_min(least, x);
        std::memcpy(&mine, which, sizeof mine);
        std::memcpy(&bits, &x, sizeof bits);
        bits &= mine;
        std::memcpy(&x, &bits, sizeof x);
        add(x);
    }
};

// Sums over a row that is not short, of every fourth entry side by side.
template <int L>
struct FourSums {
    Sums<L> first, second;  // with four in a register, `first` is all

    RLT_INLINED FourSums(const double* p, std::int64_t n, typename Lanes<L>::Doubles& least) {
        Sums<L> a, b;
        const auto four_at = [&](std::int64_t k) RLT_INLINED {
            a.read(p + k, least);
            if constexpr (L == 2) b.read(p + k + 2, least);
        };
        std::int64_t k = 0;
        for (; k + 8 <= n; k += 8) {
            ask_ahead(p + k);
            four_at(k);
            four_at(k + 4);
        }
        if (n & 4) {
            ask_ahead(p + k);
            four_at(k);
        }
        if (const std::int64_t rest = n & 3; rest > 0) {
            a.read(p + n - 4, left_over + rest, least);
            if constexpr (L == 2) b.read(p + n - 2, left_over + rest + 2, least);
        }
        first = a;
        second = b;
    }
};

// The same tree for a row alone and for four at once.
RLT_INLINED inline double folded(const Lanes<4>::Doubles& x, const Lanes<4>::Doubles&) {
    return (x[0] + x[1]) + (x[2] + x[3]);
}

RLT_INLINED inline double folded(const Lanes<2>::Doubles& x, const Lanes<2>::Doubles& y) {
    return (x[0] + x[1]) + (y[0] + y[1]);
}

using Four = Lanes<4>::Doubles;

RLT_INLINED inline void fold_four(const Four& a, const Four& b, const Four& c, const Four& d,
                                  Four& sums) {
    Four even, odd, ab, cd;
    even_lanes(a, b, even);
    odd_lanes(a, b, odd);
    ab = even + odd;
    even_lanes(c, d, even);
    odd_lanes(c, d, odd);
    cd = even + odd;
    lower_halves(ab, cd, even);
    upper_halves(ab, cd, odd);
    sums = even + odd;
}

// Rows of so many entries at most are summed from the last to the first.
constexpr std::int64_t shorter = 3, short_row = 6;

RLT_INLINED inline double short_row_defect(const double* p, std::int64_t n, const double* exit,
                                           std::uint64_t& signs) {
    static constexpr double one = 1.0;
    __builtin_prefetch(p + 512);
    DefectSum sum(n > shorter ? -1.0 : static_cast<double>(n - 4));
    const auto see = [&](double x) RLT_INLINED {
        const auto bits = std::bit_cast<std::uint64_t>(x);
        signs |= bits | (bits - 1);
        sum.add(x);
    };
    if (n > shorter)
        for (std::int64_t k = n - 1; k >= 0; --k) see(p[k]);
    else  // without a branch that could be guessed wrongly: entries that it lacks are ones
        for (std::int64_t k = 2; k >= 0; --k) see(*(k < n ? p + k : &one));
    if (exit) sum.add(*exit);
    return sum.value();
}

// Everything about rows but whether columns ascend within them.
template <int L>
struct Reader {
    using D = typename Lanes<L>::Doubles;
    const SomeRows& rows;
    double* delta;
    Starts starts;
    Descents<L> descents;
    D least = D{} + 1.0, least_too = least;  // of the entries; NaN is passed over
    std::uint64_t signs = 0;
    std::int64_t longest = 0;
    // Numbers that are not negative compare as their bits do, and NaN is above.
    std::int64_t largest = 0;
    Lanes<4>::Marks largest_of_four{};

    RLT_INLINED void one(std::int64_t r) {
        const std::int64_t begin = rows.row_ptr[r], n = rows.row_ptr[r + 1] - begin;
        const double* exit = rows.exit ? rows.exit + r : nullptr;
        longest = std::max(longest, n);
        if (n > 0) starts.see(begin);
        if (begin + n - descents.next >= 4 * descents.at_once) descents.up_to(begin + n);
        if (n <= short_row) {
            delta[r] = short_row_defect(rows.prob + begin, n, exit, signs);
        } else {
            const FourSums<L> all(rows.prob + begin, n, least);
            DefectSum sum(folded(all.first.high, all.second.high),
                          folded(all.first.low, all.second.low));
            if (exit) sum.add(*exit);
            delta[r] = sum.value();
        }
        largest = std::max(largest, std::bit_cast<std::int64_t>(delta[r]) & INT64_MAX);
    }

    RLT_INLINED void keep(std::int64_t r, const Four& high, const Four& low) {
        Four h = high, l = low;
        if (rows.exit) {
            Four x;
            load(x, rows.exit + r);
            const Four part = (0.5 + x) - 0.5;
            h += part;
            l += x - part;
        }
        const Four sum = h + l;
        store(delta + r, sum);
        Lanes<4>::Marks size;
        std::memcpy(&size, &sum, sizeof size);
        size &= INT64_MAX;
        largest_of_four = size > largest_of_four ? size : largest_of_four;
    }

    // Rows r .. r + 3, each in a lane, if all are of one to `most` entries, none is the very first,
    // and so many entries follow the last one: those that a row lacks are read and become 0.
    template <std::int64_t most>
    RLT_INLINED bool four_short(std::int64_t r) {
        const std::int64_t* at = rows.row_ptr + r;
        for (int i = 0; i < 4; ++i)
            if (static_cast<std::uint64_t>(at[i + 1] - at[i] - 1) >= most) return false;
        if (at[0] == 0 || at[3] + most > rows.row_ptr[rows.count]) return false;
        Lanes<4>::Marks begin, length;
        std::memcpy(&begin, at, sizeof begin);
        std::memcpy(&length, at + 1, sizeof length);
        length -= begin;
        if (longest < most)
            for (int i = 0; i < 4; ++i) longest = std::max(longest, at[i + 1] - at[i]);
        starts.see_four(at);
        if (at[4] - descents.next >= 4 * descents.at_once) descents.up_to(at[4]);
        const double* p = rows.prob;
        ask_ahead(p + at[0]);
        Sums<4> sums;
        sums.high = Four{} - 1.0;
        for (std::int64_t k = most - 1; k >= 0; --k) {
            Four x{p[at[0] + k], p[at[1] + k], p[at[2] + k], p[at[3] + k]};
            const Lanes<4>::Marks there = length > k;
            take_min(least, there ? x : Four{} + 1.0);
            Lanes<4>::Marks bits;
            std::memcpy(&bits, &x, sizeof bits);
            bits &= there;
            std::memcpy(&x, &bits, sizeof x);
            sums.add(x);
        }
        keep(r, sums.high, sums.low);
        return true;
    }

    // Rows r .. r + 3 side by side, if they are of one length, not short, nor the very first.
    RLT_INLINED bool four(std::int64_t r) {
        const std::int64_t* at = rows.row_ptr + r;
        const std::int64_t n = at[1] - at[0];
        if (n <= short_row || at[2] - at[1] != n || at[3] - at[2] != n || at[4] - at[3] != n ||
            at[0] == 0)
            return false;
        longest = std::max(longest, n);
        starts.see_four(at);
        const double* p = rows.prob + at[0];
        Sums<4> a, b, c, d;
        descents.up_to(at[4]);
        for (std::int64_t k = 0; k + 4 <= n; k += 4) {
            ask_ahead(p + 4 * k);
            ask_ahead(p + 4 * k + 8);
            a.read(p + k, least);
            b.read(p + n + k, least_too);
            c.read(p + 2 * n + k, least);
            d.read(p + 3 * n + k, least_too);
        }
        if (const std::int64_t rest = n & 3; rest > 0) {
            const double* last = p + n - 4;
            ask_ahead(last + 3 * n);
            a.read(last, left_over + rest, least);
            b.read(last + n, left_over + rest, least_too);
            c.read(last + 2 * n, left_over + rest, least);
            d.read(last + 3 * n, left_over + rest, least_too);
        }
        Four high, low;
        fold_four(a.high, b.high, c.high, d.high, high);
        fold_four(a.low, b.low, c.low, d.low, low);
        keep(r, high, low);
        return true;
    }

    RLT_INLINED RowsSeen seen() const {
        RowsSeen all{!(signs >> 63), 0.0, longest};
        std::int64_t top = largest;
        for (int l = 0; l < 4; ++l) top = std::max<std::int64_t>(top, largest_of_four[l]);
        all.largest_defect = std::bit_cast<double>(top);
        for (int l = 0; l < L; ++l)
            all.in_form = all.in_form && least[l] > 0.0 && least_too[l] > 0.0;
        return all;
    }
};

template <int L>
RLT_INLINED inline RowsSeen read_rows_in(const SomeRows& rows, std::int64_t n_states,
                                         double* delta) {
    const std::int64_t begin = rows.row_ptr[0], end = rows.row_ptr[rows.count];
    Reader<L> reader{rows,
                     delta,
                     {rows.col, static_cast<std::uint32_t>(n_states - 1)},
                     {rows.col, std::max<std::int64_t>(begin, 1)}};
    for (std::int64_t r = 0; r < rows.count;) {
        if constexpr (L == 4)
            if (r + 4 <= rows.count && (reader.four(r) || reader.template four_short<shorter>(r) ||
                                        reader.template four_short<short_row>(r))) {
                r += 4;
                continue;
            }
        reader.one(r++);
    }
    if (end > begin) reader.starts.see_last(end);
    RowsSeen seen = reader.seen();
    seen.in_form = seen.in_form && reader.starts.all_states() &&
                   reader.descents.all(end) == reader.starts.all_descents();
    return seen;
}

#if RLT_X86_DISPATCH
[[gnu::target("avx2")]] RowsSeen read_rows_avx2(const SomeRows& rows, std::int64_t n_states,
                                                double* delta) {
    return read_rows_in<4>(rows, n_states, delta);
}
#endif

}  // namespace

RowsSeen read_canonical_rows(const SomeRows& rows, std::int64_t n_states, double* delta) {
#if RLT_X86_DISPATCH
    if (has_wide_registers()) return read_rows_avx2(rows, n_states, delta);
#endif
    return read_rows_in<2>(rows, n_states, delta);
}

}  // namespace rlt
