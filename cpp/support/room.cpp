#include "support/room.hpp"

#include <array>
#include <cstdlib>
#include <mutex>
#include <utility>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace rlt {

namespace {

constexpr std::size_t large_page = std::size_t{1} << 21;
constexpr std::size_t smallest_kept = std::size_t{1} << 16;  // below, malloc is as good
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t most_kept = 0;  // what is used after it was given back must be seen
#else
constexpr std::size_t most_kept = std::size_t{64} << 20;  // bytes in all
#endif

// A multiple of a sixteenth of its power of two: arrays of nearly one size fit each other's place.
std::size_t rounded(std::size_t bytes) {
    std::size_t step = smallest_kept / 16;
    while (step * 32 <= bytes) step *= 2;
    return (bytes + step - 1) / step * step;
}

struct Kept {
    void* memory = nullptr;
    std::size_t bytes = 0;
};

struct Store {
    std::mutex guard;
    std::array<Kept, 64> places{};
    std::size_t bytes = 0;
};

// Never destroyed: what other threads give back while the process ends still finds it.
Store& store() {
    static Store& kept = *new Store;
    return kept;
}

void* new_memory(std::size_t bytes) {
#ifdef __linux__
    if (bytes >= large_page) {
        void* memory = std::aligned_alloc(large_page, (bytes + large_page - 1) & ~(large_page - 1));
        if (memory) madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: refused, it changes nothing
        return memory;
    }
#endif
    return std::malloc(bytes);
}

}  // namespace

void* take_memory(std::size_t bytes) {
    if (bytes >= smallest_kept) {
        bytes = rounded(bytes);
        Store& kept = store();
        // Whoever finds the store in use does without, so that none waits for a thread that a fork
        // has left behind.
        if (const std::unique_lock lock(kept.guard, std::try_to_lock); lock) {
            for (Kept& place : kept.places)
                if (place.bytes == bytes) {
                    kept.bytes -= bytes;
                    place.bytes = 0;
                    return std::exchange(place.memory, nullptr);
                }
        }
    }
    void* memory = new_memory(bytes);
    if (!memory) throw std::bad_alloc();
    return memory;
}

void give_back_memory(void* memory, std::size_t bytes) noexcept {
    if (memory && bytes >= smallest_kept) {
        bytes = rounded(bytes);
        Store& kept = store();
        if (const std::unique_lock lock(kept.guard, std::try_to_lock);
            lock && kept.bytes + bytes <= most_kept) {
            for (Kept& place : kept.places)
                if (!place.memory) {
                    place = {memory, bytes};
                    kept.bytes += bytes;
                    return;
                }
        }
    }
    std::free(memory);
}

}  // namespace rlt
