#include "model/canonical_rows.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "model/row_defects.hpp"
#include "support/dense_dot.hpp"
#include "support/inlined.hpp"
#include "support/lanes.hpp"

namespace rlt {

namespace {

// So many bytes further on are asked for while a row is read: rows follow one another. What is far
// away comes to the second cache first.
constexpr std::int64_t near = 1024, far = 8192;

RLT_INLINED inline void ask_ahead(const void* from) {
    __builtin_prefetch(static_cast<const char*>(from) + near);
    __builtin_prefetch(static_cast<const char*>(from) + far, 0, 2);
}

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

// Sums over a row of at least four entries, of every fourth of them side by side.
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

// delta of a row of at most three entries, without a branch that could be guessed wrongly: entries
// that it lacks are ones, and what they add up to is taken off first.
RLT_INLINED inline double short_row_defect(const double* p, std::int64_t n, const double* exit,
                                           std::uint64_t& signs) {
    static constexpr double one = 1.0;
    __builtin_prefetch(p + 512);
    DefectSum sum(static_cast<double>(n - 4));
    for (std::int64_t k = 2; k >= 0; --k) {
        const double x = *(k < n ? p + k : &one);
        const auto bits = std::bit_cast<std::uint64_t>(x);
        signs |= bits | (bits - 1);
        sum.add(x);
    }
    if (exit) sum.add(*exit);
    return sum.value();
}

// How many columns are not above the one before, wherever rows begin; the very first is none.
template <int L>
struct Descents {
    using Columns = typename Lanes<L>::Columns;
    static constexpr std::int64_t at_once = 4 * L;
    const std::int32_t* col;
    std::int64_t next;  // what comes before has been looked at
    std::int64_t count = 0;
    Columns ascents[2]{};  // of at most 2^31 columns in each lane: a block of rows has fewer

    // What fills registers; the rest is left for the next time.
    RLT_INLINED void up_to(std::int64_t end) {
        for (; next + at_once <= end; next += at_once) {
            ask_ahead(col + next);
            for (int i = 0; i < 2; ++i) {
                Columns now, before;
                std::memcpy(&now, col + next + 2 * L * i, sizeof now);
                std::memcpy(&before, col + next + 2 * L * i - 1, sizeof before);
                ascents[i] -= now > before;
            }
            count += at_once;
        }
    }
    RLT_INLINED std::int64_t all(std::int64_t end) {
        up_to(end);
        for (; next < end; ++next) count += col[next] <= col[next - 1];
        for (int l = 0; l < 2 * L; ++l) count -= ascents[0][l] + ascents[1][l];
        return count;
    }
};

// Columns where rows begin: the first of a row, and the last of the row before it.
struct Starts {
    const std::int32_t* col;
    std::uint32_t last_state;
    std::uint32_t signs = 0;
    std::int64_t descents = 0;
    Lanes<4>::Words signs_below{}, signs_above{};
    Lanes<4>::Columns ascents{};  // in every second lane, of the columns counted so far

    // Of a row with entries.
    RLT_INLINED void see(std::int64_t begin) {
        const std::int32_t first = col[begin];
        signs |= static_cast<std::uint32_t>(first);
        if (begin == 0) return;
        see_last(begin);
        descents += first <= col[begin - 1];
    }
    RLT_INLINED void see_last(std::int64_t end) {
        signs |= last_state - static_cast<std::uint32_t>(col[end - 1]);
    }
    // Of four rows with entries, none of which is the very first. Two columns are read as one word.
    RLT_INLINED void see_four(const std::int64_t* row_ptr) {
        std::uint64_t word[4];
        for (int i = 0; i < 4; ++i) std::memcpy(word + i, col + row_ptr[i] - 1, sizeof *word);
        const Lanes<4>::Words both{word[0], word[1], word[2], word[3]}, above = both >> 32;
        Lanes<4>::Columns last, first;
        std::memcpy(&last, &both, sizeof last);
        std::memcpy(&first, &above, sizeof first);
        ascents -= first > last;
        descents += 4;
        signs_above |= both;
        signs_below |= last_state - both;
    }
    RLT_INLINED std::int64_t all_descents() const {
        return descents - ascents[0] - ascents[2] - ascents[4] - ascents[6];
    }
    RLT_INLINED bool all_states() const {
        const auto below = signs_below[0] | signs_below[1] | signs_below[2] | signs_below[3];
        const auto above = signs_above[0] | signs_above[1] | signs_above[2] | signs_above[3];
        return !((signs | static_cast<std::uint32_t>(below | above >> 32)) >> 31);
    }
};

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
        if (n < 4) {
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

    // Rows r .. r + 3 side by side, if they are of one length, not short, nor the very first.
    RLT_INLINED bool four(std::int64_t r) {
        const std::int64_t* at = rows.row_ptr + r;
        const std::int64_t n = at[1] - at[0];
        if (n < 4 || at[2] - at[1] != n || at[3] - at[2] != n || at[4] - at[3] != n || at[0] == 0)
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
        if (rows.exit) {
            Four x;
            load(x, rows.exit + r);
            const Four h = (0.5 + x) - 0.5;
            high += h;
            low += x - h;
        }
        const Four sum = high + low;
        store(delta + r, sum);
        Lanes<4>::Marks size;
        std::memcpy(&size, &sum, sizeof size);
        size &= INT64_MAX;
        largest_of_four = size > largest_of_four ? size : largest_of_four;
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
            if (r + 4 <= rows.count && reader.four(r)) {
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
