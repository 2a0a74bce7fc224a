// Arrays to work in. A solve takes the same large arrays again and again, and a system hands out
// new memory page by page, which takes longer than one sweep over it: what was given back is
// therefore kept, up to a limit, and taken again.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace rlt {

// Memory of at least so many bytes, in large pages where the system has them.
void* take_memory(std::size_t bytes);
void give_back_memory(void* memory, std::size_t bytes) noexcept;

template <class T>
struct RoomAllocator {
    using value_type = T;

    RoomAllocator() = default;
    template <class U>
    RoomAllocator(const RoomAllocator<U>&) {}

    T* allocate(std::size_t n) { return static_cast<T*>(take_memory(n * sizeof(T))); }
    void deallocate(T* memory, std::size_t n) noexcept { give_back_memory(memory, n * sizeof(T)); }
    // Numbers are left as they are: who asks for a size only is about to write them.
    template <class U, class... Arguments>
    void construct(U* place, Arguments&&... arguments) {
        if constexpr (sizeof...(Arguments) == 0)
            ::new (static_cast<void*>(place)) U;
        else
            ::new (static_cast<void*>(place)) U(std::forward<Arguments>(arguments)...);
    }
    template <class U>
    bool operator==(const RoomAllocator<U>&) const {
        return true;
    }
};

// Entries made by resize(n) or Room(n) are not set: pass a value where one is meant.
template <class T>
using Room = std::vector<T, RoomAllocator<T>>;

}  // namespace rlt
