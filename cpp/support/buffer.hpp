// A read-only array and whatever keeps it alive: our own vector, or an array of the caller.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace rlt {

template <class T>
struct Buffer {
    const T* data = nullptr;
    std::int64_t size = 0;
    std::shared_ptr<const void> owner;

    Buffer() = default;
    Buffer(const T* data_, std::int64_t size_, std::shared_ptr<const void> owner_)
        : data(data_), size(size_), owner(std::move(owner_)) {}

    template <class Allocator>
    explicit Buffer(std::vector<T, Allocator>&& values) {
        auto held = std::make_shared<const std::vector<T, Allocator>>(std::move(values));
        data = held->data();
        size = static_cast<std::int64_t>(held->size());
        owner = std::move(held);
    }

    const T& operator[](std::int64_t i) const { return data[i]; }
    bool empty() const { return size == 0; }
};

}  // namespace rlt
