// A copy of an array, in large pages of memory where it is large and the system has them: sweeps
// then wait less for addresses to be translated.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <new>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "support/buffer.hpp"

namespace rlt {

template <class T>
Buffer<T> copied(const Buffer<T>& values) {
#ifdef __linux__
    constexpr std::size_t page = std::size_t{1} << 21;
    const std::size_t bytes = static_cast<std::size_t>(values.size) * sizeof(T);
    if (bytes >= 4 * page) {
        const std::size_t room = (bytes + page - 1) / page * page;
        void* memory = std::aligned_alloc(page, room);
        if (!memory) throw std::bad_alloc();
        const std::shared_ptr<const void> owner(
            memory, [](const void* p) { std::free(const_cast<void*>(p)); });
        madvise(memory, room, MADV_HUGEPAGE);  // a wish: refused, it changes nothing
        std::copy_n(values.data, values.size, static_cast<T*>(memory));
        return {static_cast<const T*>(memory), values.size, owner};
    }
#endif
    return Buffer<T>(std::vector<T>(values.data, values.data + values.size));
}

}  // namespace rlt
