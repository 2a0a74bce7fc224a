#include "topics/lsd_bandits/worst_case.hpp"

#include "support/parallel.hpp"
#include "topics/lsd_bandits/small_optimum.hpp"
#include "topics/lsd_bandits/small_policies.hpp"
#include "topics/lsd_bandits/small_relaxation.hpp"

namespace rlt::lsd {

namespace {

double average(SmallPolicies& policies, Policy policy, const std::int64_t* pay,
               const ChosenPlans& chosen) {
    switch (policy) {
        case Policy::interleaved:
            return policies.interleaved(pay, chosen, false);
        case Policy::real_ranking:
            return policies.interleaved(pay, chosen, true);
        case Policy::derandomised:
            return policies.derandomised(pay, chosen);
        case Policy::greedy:
            return policies.greedy(pay);
        case Policy::none:
            break;
    }
    return 0.0;
}

}  // namespace

void judge(const SmallBandits& shape, std::span<const std::int64_t> payoffs, Policy policy,
           std::span<Judged> out) {
    const auto items = static_cast<std::int64_t>(out.size());
    const std::int64_t each =
        shape.states() * shape.actions() * 16 + (policy == Policy::none ? 0 : 2000);
    const Blocks blocks = blocks_for(items, items * each);
    parallel_blocks(blocks.count(), items * each, [&](std::int64_t block) {
        SmallOptimum optimum(shape);
        SmallRelaxation relaxation(shape);
        SmallPolicies policies(shape);
        for (std::int64_t b = blocks.begin(block); b < blocks.end(block); ++b) {
            const std::int64_t* pay = payoffs.data() + b * shape.width();
            out[b].optimum = optimum.solve(pay);
            out[b].relaxation = relaxation.solve(pay);
            out[b].policy = average(policies, policy, pay, relaxation.chosen());
        }
    });
}

}  // namespace rlt::lsd
