// Columns of rows that are read many at once, as canonical_rows.cpp does it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "support/ask_ahead.hpp"
#include "support/inlined.hpp"
#include "support/lanes.hpp"

namespace rlt {

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

}  // namespace rlt
