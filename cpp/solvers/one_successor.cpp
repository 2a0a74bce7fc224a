#include "solvers/one_successor.hpp"

namespace rlt {

namespace {

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

enum class Found : char { no, on_path, yes };

bool one_each(const MatrixRows& rows) {
    for (std::int64_t i = 0; i < rows.n; ++i) {
        std::int64_t others = 0;
        for (auto k = rows.begin(i); k < rows.end(i); ++k)
            others += rows.col[k] != i && rows.value[k] != 0.0;
        if (others > 1) return false;
    }
    return true;
}

}  // namespace

void OneSuccessor::assign(const MatrixRows& rows) {
    next_.clear();
    if (!one_each(rows)) return;
    const auto n = static_cast<std::size_t>(rows.n);
    next_.resize(n);
    diagonal_.assign(n, rows.unit);
    beside_.assign(n, 0.0);
    for (std::int32_t i = 0; i < rows.n; ++i) {
        std::int32_t& next = next_[at(i)] = i;
        for (auto k = rows.begin(i); k < rows.end(i); ++k) {
            const std::int32_t j = rows.col[k];
            const double x = rows.factor * rows.value[k];
            if (j == i) {
                diagonal_[at(i)] += x;
            } else if (x != 0.0) {
                next = j;
                beside_[at(i)] = x;
            }
        }
    }
}

void OneSuccessor::solve(double* x) const {
    Room<Found> found(next_.size(), Found::no);
    Room<std::int32_t> path;
    const auto finish = [&](std::int32_t i, double value) {
        x[i] = value;
        found[at(i)] = Found::yes;
    };
    for (std::int32_t first = 0; first < static_cast<std::int32_t>(next_.size()); ++first) {
        std::int32_t i = first;
        for (; found[at(i)] == Found::no && next_[at(i)] != i; i = next_[at(i)]) {
            found[at(i)] = Found::on_path;
            path.push_back(i);
        }
        if (found[at(i)] == Found::no) {
            finish(i, x[i] / diagonal_[at(i)]);
        } else if (found[at(i)] == Found::on_path) {
            double sum = 0.0, passed_on = 1.0;
            std::int32_t j = i;
            do {
                sum += passed_on * (x[j] / diagonal_[at(j)]);
                passed_on *= -beside_[at(j)] / diagonal_[at(j)];
                j = next_[at(j)];
            } while (j != i);
            finish(i, sum / (1.0 - passed_on));
        }
        for (; !path.empty(); path.pop_back()) {
            const std::int32_t j = path.back();
            if (found[at(j)] != Found::yes)
                finish(j, (x[j] - beside_[at(j)] * x[next_[at(j)]]) / diagonal_[at(j)]);
        }
    }
}

}  // namespace rlt
