// The classes of a periodic model: every row of a state of class k leads to states of class k + 1,
// and from the last class to class 0.
//
// Labels l with l(j) = l(s) + 1 along every step s -> j are sought by joining states (union-find
// with differences, Tarjan 1979). A step between states already joined may contradict them by c;
// the number of classes is the greatest common divisor of all c (Denardo 1977), and known to be 1
// after a few steps on nearly every model that is not periodic: a state that may stay suffices.
#pragma once

#include <cstdint>
#include <vector>

#include "model/view.hpp"

namespace rlt {

struct CyclicClasses {
    // States by class, the last class first, so that sweeps in this order go backwards. Empty where
    // there is but one class, or where no state leads back to itself.
    std::vector<std::int32_t> states;
    // Where each stretch of `states` begins, and their number.
    std::vector<std::int64_t> first;

    std::int64_t count() const {
        return first.empty() ? 1 : static_cast<std::int64_t>(first.size()) - 1;
    }
};

// Of a stationary model.
CyclicClasses cyclic_classes(const ModelView& m);

}  // namespace rlt
