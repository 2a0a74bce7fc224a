// What is kept of an array: itself where it comes with an owner, else a copy.
#pragma once

#include <algorithm>

#include "support/buffer.hpp"
#include "support/room.hpp"

namespace rlt {

template <class T>
Buffer<T> kept(const Buffer<T>& values) {
    if (values.owner || values.empty()) return values;
    Room<T> copy(static_cast<std::size_t>(values.size));
    std::copy_n(values.data, values.size, copy.begin());
    return Buffer<T>(std::move(copy));
}

}  // namespace rlt
