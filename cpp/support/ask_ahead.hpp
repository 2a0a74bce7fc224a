// Asking for what is read next: arrays of some megabytes lie in small pages, where the processor's
// own guesses end.
#pragma once

#include "support/inlined.hpp"

namespace rlt {

// What lies 1 kB further on, and what lies 8 kB further on into the second cache first.
RLT_INLINED inline void ask_ahead(const void* from) {
    __builtin_prefetch(static_cast<const char*>(from) + 1024);
    __builtin_prefetch(static_cast<const char*>(from) + 8192, 0, 2);
}

}  // namespace rlt
