// Last-switch-dependent bandits: cyclic schedules.
#pragma once

#include "bindings/lsd_arms.hpp"
#include "topics/lsd_bandits/best_cyclic.hpp"

namespace rlt {

inline Tuple<std::int64_t, py::array_t<std::int32_t>> lsd_best_cyclic(
    const Array<std::int64_t>& totals, const Array<std::uint8_t>& plays, std::int64_t length) {
    if (plays.ndim() != 2 || plays.shape(0) < 1 || plays.shape(1) < 1)
        throw std::invalid_argument("plays needs a row for each action, a column for each arm");
    if (length < 1 || length > 30) throw std::invalid_argument("length must be in 1..30");
    const std::int64_t actions = plays.shape(0), arms = plays.shape(1);
    need_size(totals, arms << length, "totals");
    py::array_t<std::int32_t> sequence(length);
    std::int32_t* to = sequence.mutable_data();
    const auto paid = span_of(totals);
    const auto played = span_of(plays);
    std::int64_t best = 0;
    {
        const py::gil_scoped_release nogil;
        best = lsd::best_cyclic(paid, arms, played, actions, length, to);
    }
    return py::make_tuple(best, sequence);
}

inline void bind_lsd_cyclic(py::module_& m) {
    m.def("lsd_best_cyclic", &lsd_best_cyclic, py::arg("totals").noconvert(),
          py::arg("plays").noconvert(), py::arg("length"),
          py::doc("Total per period, and actions, of the best sequence of this length."));
}

}  // namespace rlt
