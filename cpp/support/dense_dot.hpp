// Dot product of two contiguous arrays, chosen for the processor when the module is loaded.
//
// Eight partial sums, added in one fixed tree: every version gives the same bits, since none
// contracts a product and a sum into one rounding.
#pragma once

#include <cstdint>

// Whether kernels are compiled for several kinds of processor, and chosen among.
#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__))
#define RLT_X86_DISPATCH 1
#else
#define RLT_X86_DISPATCH 0
#endif

namespace rlt {

// Entries from which on rows of a table are read from memory, not from a cache. Measured.
constexpr std::int64_t far_row = 768;

extern double (*dense_dot)(const double* a, const double* b, std::int64_t n);

// out[r] = dense_dot of the row at a + r stride, r = 0..3, to the bit.
extern void (*dense_dots)(const double* a, std::int64_t stride, const double* b, std::int64_t n,
                          double* out);

// "generic", "avx2" or "auto", the widest; false if the processor does not have it.
bool set_instruction_set(const char* name);
const char* instruction_set();

// For other kernels with a version for each kind of processor: at least 32 bytes, or more.
bool has_wide_registers();
bool may_use_widest();

}  // namespace rlt
