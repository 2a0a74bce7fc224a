#include "learning/planner.hpp"

#include "learning/bernstein.hpp"
#include "learning/hoeffding.hpp"
#include "support/dense_dot.hpp"

#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__))
#define RLT_X86_DISPATCH 1
#else
#define RLT_X86_DISPATCH 0
#endif

namespace rlt {

namespace {

// Columns of pairs a block holds in registers, by how many of them there are.
template <class Backup>
void induce_generic(Planner<Backup>& x) {
    x.template induce<Lanes<2>, 8 / Backup::powers>();
}

#if RLT_X86_DISPATCH
template <class Backup>
[[gnu::target("avx2")]] void induce_avx2(Planner<Backup>& x) {
    x.template induce<Lanes<4>, 10 / Backup::powers>();
}

template <class Backup>
[[gnu::target("avx512f,avx512vl,avx512dq,avx512bw")]] void induce_avx512(Planner<Backup>& x) {
    x.template induce<Lanes<8>, 10 / Backup::powers>();
}
#endif

}  // namespace

// The choice is made with every call, so that tests may change it.
template <class Backup>
void induce_here(Planner<Backup>& planner) {
#if RLT_X86_DISPATCH
    if (has_wide_registers()) {
        static const bool has_avx512 =
            __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
        return has_avx512 && may_use_widest() ? induce_avx512(planner) : induce_avx2(planner);
    }
#endif
    induce_generic(planner);
}

template void induce_here(Planner<HoeffdingBackup>&);
template void induce_here(Planner<BernsteinBackup>&);

}  // namespace rlt
