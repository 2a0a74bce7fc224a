// Last-switch-dependent bandits: many small ones at once, for the search of worst ratios.
#pragma once

#include "bindings/lsd_arms.hpp"
#include "topics/lsd_bandits/worst_case.hpp"

namespace rlt {

inline Tuple<py::array_t<std::int64_t>, py::array_t<std::int64_t>, py::array_t<double>>
lsd_judge_many(const Array<std::int32_t>& rests, const Array<std::int32_t>& plays,
               const Array<std::int64_t>& payoffs, std::int64_t largest, std::int32_t policy) {
    const lsd::SmallBandits shape(span_of(rests), span_of(plays), largest);
    if (payoffs.ndim() != 2 || payoffs.shape(1) != shape.width())
        throw std::invalid_argument("payoffs needs " + std::to_string(shape.width()) +
                                    " columns, a state of an arm each");
    if (policy < 0 || policy > static_cast<std::int32_t>(lsd::Policy::greedy))
        throw std::invalid_argument("policy is " + std::to_string(policy) + "; 0 to 4 are known");
    const std::int64_t count = payoffs.shape(0);
    py::array_t<std::int64_t> optimum({count, std::int64_t{2}});
    py::array_t<std::int64_t> relaxation({count, std::int64_t{2}});
    py::array_t<double> average(count);
    std::int64_t* best = optimum.mutable_data();
    std::int64_t* above = relaxation.mutable_data();
    double* mean = average.mutable_data();
    const auto given = span_of(payoffs);
    {
        const py::gil_scoped_release nogil;
        for (const std::int64_t p : given)
            if (p < 0 || p > largest)
                throw std::invalid_argument("a payoff is " + std::to_string(p) +
                                            "; payoffs must be in 0.." + std::to_string(largest));
        std::vector<lsd::Judged> judged(count);
        lsd::judge(shape, given, static_cast<lsd::Policy>(policy), judged);
        for (std::int64_t b = 0; b < count; ++b) {
            best[2 * b] = judged[b].optimum.numerator;
            best[2 * b + 1] = judged[b].optimum.denominator;
            above[2 * b] = judged[b].relaxation.numerator;
            above[2 * b + 1] = judged[b].relaxation.denominator;
            mean[b] = judged[b].policy;
        }
    }
    return py::make_tuple(optimum, relaxation, average);
}

inline void bind_lsd_worst_case(py::module_& m) {
    m.def(
        "lsd_judge_many", &lsd_judge_many, py::arg("rests").noconvert(),
        py::arg("plays").noconvert(), py::arg("payoffs").noconvert(), py::arg("largest"),
        py::arg("policy"),
        py::doc("Optimum and relaxation, as numerators and denominators, and a policy's average."));
}

}  // namespace rlt
