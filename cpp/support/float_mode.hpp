// Error bounds here assume rounding to nearest and gradual underflow. Some libraries switch a
// thread to flush-to-zero; a kernel that bounds rounding errors holds one of these meanwhile.
#pragma once

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

#include <cstdint>

namespace rlt {

class StandardFloatMode {
public:
#if defined(__SSE2__) || defined(_M_X64)
    StandardFloatMode() : saved_(_mm_getcsr()) { _mm_setcsr(0x1F80); }
    ~StandardFloatMode() { _mm_setcsr(saved_); }

private:
    unsigned saved_;
#elif defined(__aarch64__)
    StandardFloatMode() {
        __asm__ volatile("mrs %0, fpcr" : "=r"(saved_));
        __asm__ volatile("msr fpcr, %0" : : "r"(std::uint64_t{0}));
    }
    ~StandardFloatMode() { __asm__ volatile("msr fpcr, %0" : : "r"(saved_)); }

private:
    std::uint64_t saved_ = 0;
#else
    StandardFloatMode() {}
#endif
public:
    StandardFloatMode(const StandardFloatMode&) = delete;
    StandardFloatMode& operator=(const StandardFloatMode&) = delete;
};

}  // namespace rlt
