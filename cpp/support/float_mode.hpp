// Error bounds here assume rounding to nearest and gradual underflow. Some libraries switch a
// thread to flush-to-zero; a kernel that bounds rounding errors holds a StandardFloatMode
// meanwhile.
#pragma once

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

#include <cstdint>

namespace rlt {

enum class Underflow { gradual, to_zero };

class FloatMode {
public:
#if defined(__SSE2__) || defined(_M_X64)
    explicit FloatMode(Underflow underflow) : saved_(_mm_getcsr()) {
        _mm_setcsr(underflow == Underflow::gradual ? 0x1F80 : 0x9FC0);
    }
    ~FloatMode() { _mm_setcsr(saved_); }

private:
    unsigned saved_;
#elif defined(__aarch64__)
    explicit FloatMode(Underflow underflow) {
        __asm__ volatile("mrs %0, fpcr" : "=r"(saved_));
        const std::uint64_t wanted = underflow == Underflow::gradual ? 0 : std::uint64_t{1} << 24;
        __asm__ volatile("msr fpcr, %0" : : "r"(wanted));
    }
    ~FloatMode() { __asm__ volatile("msr fpcr, %0" : : "r"(saved_)); }

private:
    std::uint64_t saved_ = 0;
#else
    explicit FloatMode(Underflow) {}
#endif
public:
    FloatMode(const FloatMode&) = delete;
    FloatMode& operator=(const FloatMode&) = delete;
};

class StandardFloatMode : public FloatMode {
public:
    StandardFloatMode() : FloatMode(Underflow::gradual) {}
};

}  // namespace rlt
