// Arms as arrays from Python, checked once.
#pragma once

#include "bindings/arrays.hpp"
#include "topics/lsd_bandits/arms.hpp"

namespace rlt {

template <class T>
std::span<const T> span_of(const Array<T>& array) {
    return {array.data(), static_cast<std::size_t>(array.size())};
}

template <class Payoff>
lsd::Arms<Payoff> arms_of(const Array<std::int32_t>& sizes, const Array<std::int32_t>& play_next,
                          const Array<std::int32_t>& rest_next, const Array<Payoff>& payoffs) {
    std::int64_t total = 0;
    for (const std::int32_t size : span_of(sizes)) {
        if (size < 1) throw std::invalid_argument("an arm has no states");
        total += size;
    }
    if (sizes.size() == 0) throw std::invalid_argument("there are no arms");
    need_size(play_next, total, "play_next");
    need_size(rest_next, total, "rest_next");
    need_size(payoffs, total, "payoffs");
    lsd::Arms<Payoff> arms(span_of(sizes), span_of(play_next), span_of(rest_next),
                           span_of(payoffs));
    for (std::int64_t i = 0; i < arms.count(); ++i)
        for (std::int64_t s = arms.first[i]; s < arms.first[i + 1]; ++s)
            for (const std::int32_t next : {arms.play_next[s], arms.rest_next[s]})
                if (next < 0 || next >= arms.sizes[i])
                    throw std::invalid_argument("arm " + std::to_string(i) + " moves to state " +
                                                std::to_string(next) + ", which it does not have");
    return arms;
}

}  // namespace rlt
