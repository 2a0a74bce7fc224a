// Fixed blocks of work on a few short-lived threads.
//
// Which indices form a block never depends on the number of threads, and results are reduced
// in the order of blocks, so a result is the same for every number of threads. Threads end
// with the call (a process may fork between calls); an exception in a block is carried back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace rlt {

int thread_count();
void set_thread_count(int threads);

// Calls body(block) for block = 0..blocks-1; `work` is a rough count of operations, below
// which starting threads costs more than it saves.
void parallel_blocks(std::int64_t blocks, std::int64_t work,
                     const std::function<void(std::int64_t)>& body);

struct Blocks {
    std::int64_t items;
    std::int64_t size;

    std::int64_t count() const { return (items + size - 1) / size; }
    std::int64_t begin(std::int64_t block) const { return block * size; }
    std::int64_t end(std::int64_t block) const { return std::min(items, (block + 1) * size); }
};

// Blocks of `items` with about 2^15 operations each, when there are `work` operations in all.
inline Blocks blocks_for(std::int64_t items, std::int64_t work) {
    const std::int64_t per_item =
        std::max<std::int64_t>(1, work / std::max<std::int64_t>(1, items));
    return {items, std::max<std::int64_t>(1, (std::int64_t{1} << 15) / per_item)};
}

}  // namespace rlt
