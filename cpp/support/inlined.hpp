// For lambdas in which a loop spends its time: left to itself, the compiler may call them, and then
// keeps in memory what they add up.
#pragma once

#if defined(__GNUC__)
#define RLT_INLINED __attribute__((always_inline))
#else
#define RLT_INLINED
#endif
