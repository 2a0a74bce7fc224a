#include "solvers/ordered_equations.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "solvers/few_entries.hpp"

namespace rlt {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Moves to earlier states that the order by value must have: beside all, and beside those of the
// rows' order, than which it may have fewer, since it leaves less to be filled in. Measured.
constexpr double most_of_all = 0.75, as_good = 0.98;
constexpr std::int64_t many_for_one_new = 1000;  // rows, so that the others are kept

constexpr int digit_bits = 11;
constexpr std::uint32_t digits = 1U << digit_bits;

// How much a chain moves, in sum over its states: to higher values, to lower ones, and to states
// that come first in the present order.
struct Moves {
    double up = 0.0, down = 0.0, back = 0.0;
};

Moves moves_of(const MatrixRows& rows, const double* value) {
    Moves m;
    const auto see = [&](std::int64_t i, std::int64_t k) {
        const std::int32_t j = rows.col[k];
        const double p = rows.value[k];
        m.up += kept_if(value[j] > value[i], p);
        m.down += kept_if(value[j] < value[i], p);
        m.back += kept_if(j < i, p);
    };
    if (!rows.ptr)
        with_few(rows.stride, [&](auto width) {
            for (std::int64_t i = 0; i < rows.n; ++i) {
                const std::int64_t begin = rows.begin(i);
                for (std::int64_t k = 0; k < width(); ++k) see(i, begin + k);
            }
        });
    else
        for (std::int64_t i = 0; i < rows.n; ++i)
            for (auto k = rows.begin(i); k < rows.end(i); ++k) see(i, k);
    return m;
}

}  // namespace

Room<std::int32_t> descending_order(const double* value, std::int64_t n) {
    const auto [least, most] = std::minmax_element(value, value + n);
    const double range = *most - *least;
    constexpr double largest = digits * double{digits} - 1.0;
    const double scale = range > 0.0 ? largest / range : 0.0;
    Room<std::uint32_t> key(at(n));
    std::array<std::array<std::int32_t, digits + 1>, 2> begin{};
    for (std::int64_t i = 0; i < n; ++i) {
        const double x = (*most - value[i]) * scale;
        // Values that are not finite have to lie somewhere.
        key[at(i)] = x >= 0.0 ? static_cast<std::uint32_t>(std::min(x, largest)) : 0U;
        ++begin[0][key[at(i)] % digits + 1];
        ++begin[1][key[at(i)] / digits + 1];
    }
    for (auto& counts : begin)
        for (std::size_t d = 0; d < digits; ++d) counts[d + 1] += counts[d];
    Room<std::int32_t> by_last(at(n)), order(at(n));
    for (std::int32_t i = 0; i < n; ++i) by_last[at(begin[0][key[at(i)] % digits]++)] = i;
    for (const std::int32_t i : by_last) order[at(begin[1][key[at(i)] / digits]++)] = i;
    return order;
}

void OrderedEquations::assign(const OrderedRows& rows, const double* value, bool careful) {
    if (rows.in_place()) {
        *this = {};  // memory counts more than time here
        chain_ = rows.chain();
        return;
    }
    const MatrixRows chosen = rows.equations();
    if (!careful && replace(chosen)) return;
    // Small chains, and those of one successor a state, are solved without such factors.
    const bool by_value =
        value && chosen.n > PolicyChain::dense_limit && (chosen.ptr || chosen.stride > 1);
    const Moves moves = by_value ? moves_of(chosen, value) : Moves{};
    const double back = std::max(moves.up, moves.down);
    if (back <= as_good * moves.back || back < most_of_all * (moves.up + moves.down)) {
        order_.clear();
        chain_.assign(chosen, careful ? PolicyChain::careful_fill : PolicyChain::bold_fill);
        return;
    }
    order_ = descending_order(value, chosen.n);
    if (moves.up < moves.down) std::reverse(order_.begin(), order_.end());
    position_.resize(order_.size());
    for (std::int32_t i = 0; i < chosen.n; ++i) position_[at(order_[at(i)])] = i;
    taken_.assign(chosen.chosen, chosen.chosen + chosen.n);
    renumber(chosen);
    chain_.assign(renumbered(chosen),
                  careful ? PolicyChain::careful_fill : PolicyChain::ordered_fill);
}

MatrixRows OrderedEquations::renumbered(const MatrixRows& rows) const {
    return {rows.n,
            rows.ptr ? ptr_.data() : nullptr,
            rows.stride,
            col_.data(),
            coefficient_.data(),
            nullptr,
            rows.unit,
            rows.factor};
}

// Row s, at its place in the order.
template <int width>
void OrderedEquations::renumber_few(const MatrixRows& rows, std::int64_t s) {
    const std::int64_t from = rows.begin(s);
    std::int32_t col[width];
    double value[width];
    for (std::int64_t k = 0; k < width; ++k) {
        col[k] = position_[at(rows.col[from + k])];
        value[k] = rows.value[from + k];
    }
    sort_few<width>(col, value);
    const std::size_t to = at(position_[at(s)]) * width;
    store_few<width>(col, value, &col_[to], &coefficient_[to]);
}

void OrderedEquations::renumber(const MatrixRows& rows) {
    const std::int64_t n = rows.n;
    if (!rows.ptr) {
        col_.resize(at(n * rows.stride));
        coefficient_.resize(at(n * rows.stride));
        return with_few(rows.stride, [&](auto width) {
            for (std::int64_t i = 0; i < n; ++i) {
                constexpr std::int64_t ahead = 12;
                const std::int64_t next = rows.begin(order_[at(std::min(i + ahead, n - 1))]);
                __builtin_prefetch(rows.col + next);
                __builtin_prefetch(rows.value + next);
                renumber_few<width()>(rows, order_[at(i)]);
            }
        });
    }
    ptr_.resize(at(n) + 1);
    ptr_[0] = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t s = order_[at(i)];
        ptr_[at(i) + 1] = ptr_[at(i)] + rows.end(s) - rows.begin(s);
    }
    col_.resize(at(ptr_[at(n)]));
    coefficient_.resize(col_.size());
    std::vector<std::pair<std::int32_t, double>> row;
    auto to = std::size_t{0};
    for (const std::int32_t s : order_) {
        row.clear();
        for (auto k = rows.begin(s); k < rows.end(s); ++k)
            row.emplace_back(position_[at(rows.col[k])], rows.value[k]);
        std::sort(row.begin(), row.end());
        for (const auto& [col, value] : row) {
            col_[to] = col;
            coefficient_[to++] = value;
        }
    }
}

bool OrderedEquations::replace(const MatrixRows& rows) {
    if (order_.empty() || rows.ptr) return false;
    Room<std::int32_t> changed;
    for (std::int32_t s = 0; s < rows.n; ++s)
        if (taken_[at(s)] != rows.chosen[s]) changed.push_back(s);
    if (std::ssize(changed) > rows.n / many_for_one_new) return false;
    for (std::int32_t& s : changed) {
        taken_[at(s)] = rows.chosen[s];
        with_few(rows.stride, [&](auto width) { renumber_few<width()>(rows, s); });
        s = position_[at(s)];
    }
    std::sort(changed.begin(), changed.end());
    return chain_.replace(renumbered(rows), changed);
}

LinearSolve OrderedEquations::solve(const double* b, double* x, double wanted, std::int64_t most,
                                    const Monitor& monitor) {
    const std::size_t n = order_.size();
    if (n == 0) {
        std::fill_n(x, chain_.size(), 0.0);
        return chain_.solve(b, x, wanted, most, room_, monitor);
    }
    b_.resize(n);
    for (std::size_t i = 0; i < n; ++i) b_[i] = b[order_[i]];
    x_.assign(n, 0.0);
    const LinearSolve solved = chain_.solve(b_.data(), x_.data(), wanted, most, room_, monitor);
    for (std::size_t i = 0; i < n; ++i) x[order_[i]] = x_[i];
    return solved;
}

}  // namespace rlt
