#include "model/order_rows.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "model/array_checks.hpp"
#include "support/room.hpp"

namespace rlt {

namespace {

bool outside(std::int64_t x, std::int64_t size) {
    return static_cast<std::uint64_t>(x) >= static_cast<std::uint64_t>(size);
}

// Names the pair that is outside the model: the first wrong state, else the first wrong action.
[[noreturn]] void refuse_pair(const RawRows& rows, std::int64_t table_states) {
    const auto refuse = [](const char* name, std::int64_t r, std::int64_t x, std::string allowed) {
        throw ModelFault(std::string(name) + "[" + std::to_string(r) + "] is " + std::to_string(x) +
                         "; " + allowed);
    };
    for (std::int64_t r = 0; r < rows.n_rows; ++r)
        if (outside(rows.state[r], table_states))
            refuse("states", r, rows.state[r], "it must be 0.." + std::to_string(table_states - 1));
    for (std::int64_t r = 0; r < rows.n_rows; ++r)
        if (rows.action[r] < 0) refuse("actions", r, rows.action[r], "it must be at least 0");
    const auto largest = std::max_element(rows.action, rows.action + rows.n_rows);
    refuse("actions", largest - rows.action, *largest,
           "labels are 0.." + std::to_string(rows.n_actions - 1));
    throw ModelFault("a pair is outside the model");
}

// The last row of a state says where its rows end: state_ptr[s + 1], which stays 0 without a row.
// False if some row is not behind the one before it, and what was written means nothing.
bool lay_in_order(const RawRows& rows, std::int64_t table_states, std::int64_t* state_ptr,
                  std::int32_t* action) {
    bool ascending = true;
    std::int64_t state_before = -1, action_before = -1;
    for (std::int64_t r = 0; r < rows.n_rows; ++r) {
        const std::int64_t s = rows.state[r], a = rows.action[r];
        if (outside(s, table_states) || outside(a, rows.n_actions)) refuse_pair(rows, table_states);
        ascending &= (s > state_before) | ((s == state_before) & (a > action_before));
        state_before = s;
        action_before = a;
        state_ptr[s + 1] = r + 1;
        action[r] = static_cast<std::int32_t>(a);
    }
    return ascending;
}

// The same, many pairs at once, and the largest action; false if a pair is out of order or outside
// the model, or a state has none, and then all that was written means nothing.
bool lay_many(const RawRows& rows, std::int64_t table_states, std::int64_t* state_ptr,
              std::int32_t* action, std::int64_t& largest) {
    constexpr std::int64_t at_once = 1024;  // they stay in the fastest cache
    const std::int64_t actions = rows.n_actions > 0 ? rows.n_actions : INT32_MAX;
    if (rows.n_rows < 1 || rows.state[0] != 0 || rows.action[0] < 0) return false;
    largest = rows.action[0];
    for (std::int64_t r = 0; r < rows.n_rows; r += at_once) {
        const std::int64_t end = std::min(rows.n_rows, r + at_once),
                           first = std::max<std::int64_t>(r, 1);
        if (!pairs_ascend(rows.state + first, rows.action + first, end - first, largest) ||
            largest >= actions || outside(rows.state[end - 1], table_states))
            return false;
        for (std::int64_t i = r; i < end; ++i)
            action[i] = static_cast<std::int32_t>(rows.action[i]);
        for (std::int64_t i = r; i < end; ++i) state_ptr[rows.state[i] + 1] = i + 1;
    }
    state_ptr[0] = 0;
    return rows.state[rows.n_rows - 1] == table_states - 1;
}

std::vector<std::int64_t> sorted_order(const RawRows& rows) {
    const auto before = [&](std::int64_t a, std::int64_t b) {
        return rows.state[a] != rows.state[b] ? rows.state[a] < rows.state[b]
                                              : rows.action[a] < rows.action[b];
    };
    std::vector<std::int64_t> order(static_cast<std::size_t>(rows.n_rows));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(), before);
    return order;
}

void lay_sorted(const Place& place, const RawRows& rows, const std::vector<std::int64_t>& order,
                std::int64_t* state_ptr, std::int32_t* action) {
    std::int64_t state_before = -1, action_before = -1;
    for (std::int64_t r = 0; r < rows.n_rows; ++r) {
        const std::int64_t from = order[static_cast<std::size_t>(r)];
        const std::int64_t s = rows.state[from], a = rows.action[from];
        if (s == state_before && a == action_before)
            throw ModelFault(place.row(from) + " is given twice");
        state_before = s;
        action_before = a;
        state_ptr[s + 1] = r + 1;
        action[r] = static_cast<std::int32_t>(a);
    }
}

void lay_full_table(const RawRows& rows, std::int64_t table_states, std::int64_t* state_ptr,
                    std::int32_t* action) {
    state_ptr[0] = 0;
    for (std::int64_t s = 0; s < table_states; ++s) {
        state_ptr[s + 1] = (s + 1) * rows.n_actions;
        for (std::int64_t a = 0; a < rows.n_actions; ++a) *action++ = static_cast<std::int32_t>(a);
    }
}

}  // namespace

std::vector<std::int64_t> order_rows(const Place& place, RawRows& rows, Model& model) {
    const std::int64_t table_states = rows.n_stages * rows.n_states;
    const auto states = static_cast<std::size_t>(table_states);
    Room<std::int64_t> state_ptr(states + 1);
    Room<std::int32_t> action(static_cast<std::size_t>(rows.n_rows));
    std::vector<std::int64_t> order;
    std::int64_t largest = 0;
    if (!rows.state) {
        lay_full_table(rows, table_states, state_ptr.data(), action.data());
    } else if (lay_many(rows, table_states, state_ptr.data(), action.data(), largest)) {
        if (rows.n_actions == 0) rows.n_actions = largest + 1;
    } else {
        if (rows.n_actions == 0) {
            largest = 0;
            for (std::int64_t r = 0; r < rows.n_rows; ++r)
                largest = std::max(largest, rows.action[r]);
            rows.n_actions = std::min<std::int64_t>(largest, INT32_MAX) + 1;
            check_sizes(rows);
        }
        std::fill(state_ptr.begin(), state_ptr.end(), 0);
        if (!lay_in_order(rows, table_states, state_ptr.data(), action.data())) {
            order = sorted_order(rows);
            lay_sorted(place, rows, order, state_ptr.data(), action.data());
        }
        for (std::size_t s = 0; s < states; ++s)
            if (state_ptr[s + 1] == 0)
                throw ModelFault(place.state(static_cast<std::int64_t>(s)) +
                                 " has no action; every state needs at least one");
    }
    model.state_ptr = Buffer<std::int64_t>(std::move(state_ptr));
    model.action = Buffer<std::int32_t>(std::move(action));
    return order;
}

}  // namespace rlt
