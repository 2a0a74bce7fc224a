// What simple policies earn on small LSD bandits, on average in the long run.
#pragma once

#include "topics/lsd_bandits/small_bandits.hpp"
#include "topics/lsd_bandits/small_relaxation.hpp"

namespace rlt::lsd {

// The working memory of one thread.
class SmallPolicies {
public:
    explicit SmallPolicies(const SmallBandits& shape);

    // The expectation over independent plans and offsets, ranked by virtual or by real payoffs.
    double interleaved(const std::int64_t* pay, const ChosenPlans& chosen, bool by_real);

    // A8: plan after plan and offset after offset with the largest conditional expectation; of
    // equal ones the first.
    double derandomised(const std::int64_t* pay, const ChosenPlans& chosen);

    double greedy(const std::int64_t* pay);

private:
    struct Visit {
        std::int64_t state, round, earned;
    };

    void rest();
    std::int64_t move(std::int64_t played);
    std::int64_t joint() const;
    template <class Round>
    double until_repeat(std::int64_t period, const Round& round_of);

    std::int64_t virtual_payoff(std::int64_t arm, const SmallPlan& plan, std::int64_t round) const;
    std::int64_t play(std::int64_t round, bool by_real);
    double average(bool by_real);
    double mean_from(std::int64_t arm, std::int64_t common, const ChosenPlans& chosen,
                     bool by_real);

    void law_after(std::int64_t arm, const ChosenPlans& chosen);
    double expected_max(std::int64_t c) const;
    void draw_best(std::int64_t arm, const std::vector<ChosenPlan>& choices);
    void merge(std::int64_t arm);

    const SmallBandits& w_;
    const std::int64_t* pay_ = nullptr;
    std::vector<const SmallPlan*> drawn_;
    std::vector<std::int64_t> offset_, state_;
    std::vector<Visit> visited_;
    std::vector<std::int64_t> current_, merged_, values_;
    std::vector<double> below_;
};

}  // namespace rlt::lsd
