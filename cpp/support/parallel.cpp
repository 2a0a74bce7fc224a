#include "support/parallel.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "support/float_mode.hpp"

namespace rlt {

namespace {

std::atomic<int> configured_threads{1};
constexpr std::int64_t worth_a_thread = std::int64_t{1} << 20;

}  // namespace

int thread_count() { return configured_threads.load(); }

void set_thread_count(int threads) { configured_threads.store(std::max(1, threads)); }

void parallel_blocks(std::int64_t blocks, std::int64_t work,
                     const std::function<void(std::int64_t)>& body) {
    const std::int64_t threads =
        work < worth_a_thread ? 1 : std::min<std::int64_t>(thread_count(), blocks);
    if (threads <= 1) {
        const StandardFloatMode mode;
        for (std::int64_t block = 0; block < blocks; ++block) body(block);
        return;
    }
    std::atomic<std::int64_t> next{0};
    std::mutex guard;
    std::exception_ptr failure;
    const auto worker = [&] {
        const StandardFloatMode mode;
        try {
            for (std::int64_t block; (block = next.fetch_add(1)) < blocks;) body(block);
        } catch (...) {
            const std::lock_guard lock(guard);
            if (!failure) failure = std::current_exception();
            next.store(blocks);
        }
    };
    {
        std::vector<std::jthread> pool;
        pool.reserve(static_cast<std::size_t>(threads - 1));
        for (std::int64_t i = 1; i < threads; ++i) pool.emplace_back(worker);
        worker();
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace rlt
