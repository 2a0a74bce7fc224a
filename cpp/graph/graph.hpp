// Which states a row of a stationary model may lead to, and whether it may end: all that
// graph algorithms see of a model. Columns are those with a positive probability.
#pragma once

#include <cstdint>
#include <vector>

#include "model/view.hpp"

namespace rlt {

struct Graph {
    std::int64_t n_states = 0;
    std::int64_t n_rows = 0;
    std::vector<std::int64_t> state_ptr;
    std::vector<std::int64_t> row_ptr;
    std::vector<std::int32_t> col;
    std::vector<std::int32_t> owner;  // the state of each row
    std::vector<std::uint8_t> ends;   // whether a row has an exit

    explicit Graph(const ModelView& m);
    // Of the chain in which state s follows the row chosen[s]: one row a state.
    Graph(const ModelView& m, const std::int64_t* chosen);
    // One row an arc: those of state s are first[s] .. first[s + 1] - 1.
    Graph(std::vector<std::int64_t> first, const std::int32_t* to);

    std::int64_t row_begin(std::int64_t s) const { return state_ptr[static_cast<std::size_t>(s)]; }
    std::int64_t row_end(std::int64_t s) const {
        return state_ptr[static_cast<std::size_t>(s) + 1];
    }
    template <class F>
    void successors(std::int64_t row, F&& f) const {
        const auto r = static_cast<std::size_t>(row);
        for (auto k = row_ptr[r]; k < row_ptr[r + 1]; ++k) f(col[static_cast<std::size_t>(k)]);
    }
};

// The rows that lead to each state.
struct Predecessors {
    std::vector<std::int64_t> ptr;
    std::vector<std::int64_t> row;

    explicit Predecessors(const Graph& g);

    template <class F>
    void each(std::int64_t state, F&& f) const {
        const auto s = static_cast<std::size_t>(state);
        for (auto k = ptr[s]; k < ptr[s + 1]; ++k) f(row[static_cast<std::size_t>(k)]);
    }
};

}  // namespace rlt
