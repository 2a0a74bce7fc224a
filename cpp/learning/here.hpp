// `induce` of a planner, compiled for each kind of processor and chosen when it is called, so that
// tests may change the choice. A planner says by `columns<L>()` how many registers of pairs its
// backups hold at once. To be included by the one file that instantiates `induce_here`.
#pragma once

#include "support/dense_dot.hpp"
#include "support/lanes.hpp"

namespace rlt {

template <class X>
void induce_generic(X& x) {
    x.template induce<Lanes<2>, X::template columns<Lanes<2>>()>();
}

#if RLT_X86_DISPATCH
template <class X>
[[gnu::target("avx2")]] void induce_avx2(X& x) {
    x.template induce<Lanes<4>, X::template columns<Lanes<4>>()>();
}

template <class X>
[[gnu::target("avx512f,avx512vl,avx512dq,avx512bw")]] void induce_avx512(X& x) {
    x.template induce<Lanes<8>, X::template columns<Lanes<8>>()>();
}
#endif

template <class X>
void induce_here(X& x) {
#if RLT_X86_DISPATCH
    if (has_wide_registers()) {
        static const bool has_avx512 =
            __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
        return has_avx512 && may_use_widest() ? induce_avx512(x) : induce_avx2(x);
    }
#endif
    induce_generic(x);
}

}  // namespace rlt
