#include "learning/intervals.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "learning/here.hpp"
#include "solvers/soft_maximum.hpp"

namespace rlt {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// A number that is none would let no run stop.
void need_finite(double gap) {
    if (!(gap < infinity)) throw std::runtime_error("a bound of the loss is not finite");
}

}  // namespace

IntervalCounts::IntervalCounts(std::int64_t H, std::int64_t S, std::int64_t A, KnownProblem known)
    : x(H, S, A),
      known_(std::move(known)),
      value_stride_(padded(S)),
      reward_(blocks(H * x.stride)),
      bonus_(blocks(H * x.stride, infinity)),
      root_kappa_(blocks(H * x.stride, infinity)),
      upper_(blocks((H + 1) * value_stride_)),
      gap_(blocks((H + 1) * value_stride_)),
      q_upper_(blocks(H * x.stride)),
      policy_(static_cast<std::size_t>(H * S * A), 0.0) {
    for (std::int64_t h = 0; h < H; ++h)
        for (std::int64_t s = 0; s < S; ++s)
            for (std::int64_t a = 0; a < A; ++a)
                at(reward_, h, x.stride)[x.column(s, a)] =
                    known_.reward[static_cast<std::size_t>((h * S + s) * A + a)];
}

SoftIntervals::SoftIntervals(std::int64_t H, std::int64_t S, std::int64_t A, KnownProblem known)
    : IntervalCounts(H, S, A, std::move(known)),
      lower_(blocks((H + 1) * value_stride_)),
      q_lower_(blocks(H * x.stride)),
      step_(blocks(x.stride)),
      widest_(static_cast<std::size_t>(H * S), 0),
      row_upper_(policy_.size(), std::numeric_limits<double>::quiet_NaN()),
      row_lower_(row_upper_) {}

void SoftIntervals::plan() {
    ++plans_;
    induce_here(*this);
}

void SoftIntervals::improve(std::int64_t h) {
    const double *high = q_upper(h), *low = q_lower(h), *step = at(step_, 0, 0);
    const double tie = static_cast<double>(x.H) * 0x1.0p-40;
    for (std::int64_t s = 0; s < x.S; ++s) {
        const auto first = static_cast<std::size_t>((h * x.S + s) * x.A);
        const ReferenceLaw rho{known_.weight.data() + first, known_.log_weight.data() + first, x.A};
        double* const up = row_upper_.data() + first;
        double* const down = row_lower_.data() + first;
        double* const law = policy_.data() + first;
        // Laws and values of rows that are what they were are so too, to the bit.
        bool up_changed = false, down_changed = false;
        double width = -infinity;
        std::int64_t choices = 0;
        for (std::int64_t a = 0, pair = s; a < x.A; ++a, pair += x.S) {
            up_changed = up_changed || up[a] != high[pair];
            down_changed = down_changed || down[a] != low[pair];
            up[a] = high[pair];
            down[a] = low[pair];
            if (!(rho.weight[a] > 0.0)) continue;
            ++choices;
            width = std::max(width, high[pair] - low[pair]);
        }
        // Actions played equally often have intervals of one width but for rounding.
        std::int64_t widest = 0;
        while (widest + 1 < x.A &&
               !(rho.weight[widest] > 0.0 && up[widest] - down[widest] >= width - tie))
            ++widest;
        widest_[static_cast<std::size_t>(h * x.S + s)] = static_cast<std::uint16_t>(widest);
        if (up_changed)
            at(upper_, h, value_stride_)[s] = soft_law(up, rho, known_.temperature, law);
        if (down_changed)
            at(lower_, h, value_stride_)[s] = soft_maximum(down, rho, known_.temperature);
        // The span of one number is 0, whatever is known of it.
        width = choices > 1 ? std::max(0.0, width) : 0.0;
        double gap = std::min(width, width * width / (8.0 * known_.temperature));
        for (std::int64_t a = 0, pair = s; a < x.A; ++a, pair += x.S)
            if (law[a] > 0.0) gap += law[a] * step[pair];
        need_finite(gap);
        at(gap_, h, value_stride_)[s] = gap;
    }
}

void GreedyIntervals::plan() {
    ++plans_;
    induce_here(*this);
}

void GreedyIntervals::improve(std::int64_t h) {
    const double *high = q_upper(h), *step = at(step_, 0, 0);
    for (std::int64_t s = 0; s < x.S; ++s) {
        std::int64_t best = -1;
        for (std::int64_t a = 0; a < x.A; ++a)
            if (allowed(h, s, a) && (best < 0 || high[x.column(s, a)] > high[x.column(s, best)]))
                best = a;
        double* const law = policy_.data() + (h * x.S + s) * x.A;
        std::fill_n(law, x.A, 0.0);
        law[best] = 1.0;
        at(upper_, h, value_stride_)[s] = high[x.column(s, best)];
        const double gap = step[x.column(s, best)];
        need_finite(gap);
        at(gap_, h, value_stride_)[s] = gap;
    }
}

}  // namespace rlt
