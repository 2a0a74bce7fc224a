// Intervals around the best values of what was seen, and a bound of what the policy loses: two
// rules, each with what `explore` needs of it. Pairs that the learner may not play have reference
// probability 0. Formulas of the widths are the caller's: tables over counts n = 0, 1, .. of which
// the entry 0 is infinite in meaning and never read, times a scale of each stage.
//
// SoftIntervals (regularised by temperature KL(. | reference)), backward, with c_h the most that
// stages after h can pay:
//
//     U_h = r + min{c_h, P_hat U'_{h+1} + b_h(n)},   L_h = r + max{0, P_hat L'_{h+1} - b_h(n)},
//     U', L' their soft maxima, pi_h the soft greedy law of U_h,   D_h = max_a (U_h - L_h),
//     G_h = min{D_h, D_h^2 / (8 temperature)}
//           + sum_a pi_h min{beta, (sqrt(P_hat G_{h+1}) + sqrt(beta kappa(n)))^2},
//     beta = max G_{h+1},
//
// D_h = 0 where one action alone is allowed. G bounds the regularised loss of pi. An episode that
// explores at a stage plays the first action whose interval is within 2^-40 H of the widest.
//
// GreedyIntervals: U as above with hard maxima, pi greedy, and
//     G_h = sum_a pi_h min{c_h, 2 b_h(n) + P_hat G_{h+1}}.
//
// docs/theory/regularized_bpi.md proves both.
#pragma once

#include <limits>
#include <memory>

#include "learning/counts.hpp"
#include "learning/drawn_action.hpp"

namespace rlt {

// What is known before the first episode; arrays are (H, S, A) or (H,).
struct KnownProblem {
    std::vector<double> reward, weight, log_weight;
    std::vector<double> scale;  // of the widths
    std::vector<double> most;   // c_h
    double temperature;
};

struct Widths {
    std::vector<double> bonus, root_kappa;  // b over its scale; greedy: the second is empty
    std::int64_t most_visits() const { return static_cast<std::int64_t>(bonus.size()) - 1; }
};

// Counts, and the parts of them that backups read; what both rules share.
class IntervalCounts {
public:
    IntervalCounts(std::int64_t H, std::int64_t S, std::int64_t A, KnownProblem known);

    const Counts& counts() const { return x; }
    const KnownProblem& known() const { return known_; }
    const double* policy(std::int64_t h, std::int64_t s) const {
        return policy_.data() + (h * x.S + s) * x.A;
    }
    const double* upper(std::int64_t h) const { return at(upper_, h, value_stride_); }
    const double* gap(std::int64_t h) const { return at(gap_, h, value_stride_); }
    const double* q_upper(std::int64_t h) const { return at(q_upper_, h, x.stride); }
    std::int64_t plans() const { return plans_; }

    void use(std::shared_ptr<const Widths> widths) { widths_ = std::move(widths); }
    std::int64_t most_visits() const { return widths_ ? widths_->most_visits() : 0; }

    // `next` is -1 where the episode ended.
    void observe(std::int64_t h, std::int64_t s, std::int64_t a, std::int64_t next) {
        const std::int64_t pair = x.column(s, a);
        if (x.visits[static_cast<std::size_t>(h * x.stride + pair)] >= most_visits())
            throw std::invalid_argument("more episodes are played than the widths have counts for");
        const auto n = static_cast<std::size_t>(x.count(h, pair, next));
        at(bonus_, h, x.stride)[pair] =
            known_.scale[static_cast<std::size_t>(h)] * widths_->bonus[n];
        if (!widths_->root_kappa.empty())
            at(root_kappa_, h, x.stride)[pair] = widths_->root_kappa[n];
    }

    // The action of a law over actions that a uniform number chooses.
    std::int64_t draw(std::int64_t h, std::int64_t s, double uniform) const {
        return drawn_action(policy(h, s), x.A, uniform);
    }

protected:
    using Blocks = std::vector<EightDoubles>;
    static Blocks blocks(std::int64_t doubles, double fill = 0.0) {
        EightDoubles each;
        for (double& lane : each.lane) lane = fill;
        return Blocks(static_cast<std::size_t>(padded(doubles) / 8), each);
    }
    static double* at(Blocks& b, std::int64_t h, std::int64_t stride) {
        return b.data()->lane + h * stride;
    }
    static const double* at(const Blocks& b, std::int64_t h, std::int64_t stride) {
        return b.data()->lane + h * stride;
    }
    bool allowed(std::int64_t h, std::int64_t s, std::int64_t a) const {
        return known_.weight[static_cast<std::size_t>((h * x.S + s) * x.A + a)] > 0.0;
    }

    Counts x;
    KnownProblem known_;
    std::shared_ptr<const Widths> widths_;
    std::int64_t value_stride_, plans_ = 0;
    Blocks reward_, bonus_, root_kappa_;  // of each pair; infinite where it was not visited
    Blocks upper_, gap_, q_upper_;
    std::vector<double> policy_;  // (H, S, A)
};

class SoftIntervals : public IntervalCounts {
public:
    SoftIntervals(std::int64_t H, std::int64_t S, std::int64_t A, KnownProblem known);

    const double* lower(std::int64_t h) const { return at(lower_, h, value_stride_); }
    const double* q_lower(std::int64_t h) const { return at(q_lower_, h, x.stride); }
    std::int64_t widest(std::int64_t h, std::int64_t s) const {
        return widest_[static_cast<std::size_t>(h * x.S + s)];
    }

    void plan();
    std::int64_t act(std::int64_t h, std::int64_t s, double uniform, bool explores) const {
        return explores ? widest(h, s) : draw(h, s, uniform);
    }

    template <class L>
    static constexpr int columns() {
        return L::count == 2 ? 2 : L::count == 4 ? 3 : 5;
    }
    template <class L, int W>
    [[gnu::always_inline]] void induce() {
        for (std::int64_t h = x.H - 1; h >= 0; --h) {
            const double* gap_later = gap(h + 1);
            double beta = 0.0;
            for (std::int64_t s = 0; s < x.S; ++s)
                if (gap_later[s] > beta) beta = gap_later[s];
            std::int64_t pair = 0;
            for (; pair + W * L::count <= x.stride; pair += W * L::count)
                back_up<L, W>(h, pair, beta);
            for (; pair < x.stride; pair += L::count) back_up<L, 1>(h, pair, beta);
            improve(h);
        }
    }

private:
    // Both Q and the bound of P G of W registers of pairs of a stage.
    template <class L, int W>
    [[gnu::always_inline]] void back_up(std::int64_t h, std::int64_t first, double beta) {
        using D = typename L::Doubles;
        const double* const later[3] = {upper(h + 1), lower(h + 1), gap(h + 1)};
        D sum[3][W];
        successor_sums(x, x.successors(h) + first, x.reached(h), later, sum);
        const D cap = D{} + known_.most[static_cast<std::size_t>(h)], most = D{} + beta;
        const D root_beta = D{} + __builtin_sqrt(beta);
        for (int w = 0; w < W; ++w) {
            const std::int64_t pair = first + w * L::count;
            D inverse, reward, bonus, root;
            load(inverse, x.inverse(h) + pair);
            load(reward, at(reward_, h, x.stride) + pair);
            load(bonus, at(bonus_, h, x.stride) + pair);
            load(root, at(root_kappa_, h, x.stride) + pair);
            D high = sum[0][w] * inverse + bonus, low = sum[1][w] * inverse - bonus;
            take_min(high, cap);
            take_max(low, D{});
            store(at(q_upper_, h, x.stride) + pair, reward + high);
            store(at(q_lower_, h, x.stride) + pair, reward + low);
            D root_mean = sum[2][w] * inverse;
            take_root(root_mean);
            const D both = root_mean + root_beta * root;
            D bound = most;
            take_min(bound, both * both);  // not the other way round: 0 times infinity is no bound
            store(at(step_, 0, 0) + pair, bound);
        }
    }

    // Soft maxima, laws and gaps of the states of a stage.
    void improve(std::int64_t h);

    Blocks lower_, q_lower_, step_;
    std::vector<std::uint16_t> widest_;
    std::vector<double> row_upper_, row_lower_;  // Q of each state as of the last plan, (H, S, A)
};

class GreedyIntervals : public IntervalCounts {
public:
    GreedyIntervals(std::int64_t H, std::int64_t S, std::int64_t A, KnownProblem known)
        : IntervalCounts(H, S, A, std::move(known)), step_(blocks(x.stride)) {}

    void plan();
    std::int64_t act(std::int64_t h, std::int64_t s, double uniform, bool) const {
        return draw(h, s, uniform);
    }

    template <class L>
    static constexpr int columns() {
        return L::count == 2 ? 4 : 5;
    }
    template <class L, int W>
    [[gnu::always_inline]] void induce() {
        for (std::int64_t h = x.H - 1; h >= 0; --h) {
            std::int64_t pair = 0;
            for (; pair + W * L::count <= x.stride; pair += W * L::count) back_up<L, W>(h, pair);
            for (; pair < x.stride; pair += L::count) back_up<L, 1>(h, pair);
            improve(h);
        }
    }

private:
    template <class L, int W>
    [[gnu::always_inline]] void back_up(std::int64_t h, std::int64_t first) {
        using D = typename L::Doubles;
        const double* const later[2] = {upper(h + 1), gap(h + 1)};
        D sum[2][W];
        successor_sums(x, x.successors(h) + first, x.reached(h), later, sum);
        const D cap = D{} + known_.most[static_cast<std::size_t>(h)];
        for (int w = 0; w < W; ++w) {
            const std::int64_t pair = first + w * L::count;
            D inverse, reward, bonus;
            load(inverse, x.inverse(h) + pair);
            load(reward, at(reward_, h, x.stride) + pair);
            load(bonus, at(bonus_, h, x.stride) + pair);
            D high = sum[0][w] * inverse + bonus, width = sum[1][w] * inverse + 2.0 * bonus;
            take_min(high, cap);
            take_min(width, cap);
            store(at(q_upper_, h, x.stride) + pair, reward + high);
            store(at(step_, 0, 0) + pair, width);
        }
    }

    void improve(std::int64_t h);

    Blocks step_;
};

}  // namespace rlt
