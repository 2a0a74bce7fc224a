// Philox4x64-10 (Salmon et al., SC 2011), word for word numpy's `Philox` bit generator:
// the counter is incremented before each block of four words.
#pragma once

#include <array>
#include <cstdint>

namespace rlt {

__extension__ using Word128 = unsigned __int128;

class Philox {
public:
    // Begins at word `first` of the stream.
    Philox(std::uint64_t key0, std::uint64_t key1, std::uint64_t first = 0)
        : key_{key0, key1}, counter_{first / 4, 0, 0, 0} {
        if (first % 4 == 0) return;
        refill();
        position_ = static_cast<int>(first % 4);
    }

    std::uint64_t next() {
        if (position_ == 4) refill();
        return block_[position_++];
    }

    // Uniform on the multiples of 2^-53 in [0, 1).
    double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

    // Uniform on 0..bound-1, bound >= 1: multiply-shift with rejection (Lemire 2019), unbiased.
    std::uint64_t below(std::uint64_t bound) {
        const std::uint64_t threshold = (0 - bound) % bound;
        for (;;) {
            const Word128 product = static_cast<Word128>(next()) * bound;
            if (static_cast<std::uint64_t>(product) >= threshold)
                return static_cast<std::uint64_t>(product >> 64);
        }
    }

private:
    static std::uint64_t multiply(std::uint64_t a, std::uint64_t b, std::uint64_t& high) {
        const Word128 product = static_cast<Word128>(a) * b;
        high = static_cast<std::uint64_t>(product >> 64);
        return static_cast<std::uint64_t>(product);
    }

    void refill() {
        for (auto& word : counter_)
            if (++word != 0) break;
        std::array<std::uint64_t, 4> x = counter_;
        std::uint64_t k0 = key_[0], k1 = key_[1];
        for (int round = 0; round < 10; ++round) {
            std::uint64_t high0, high1;
            const std::uint64_t low0 = multiply(0xD2E7470EE14C6C93u, x[0], high0);
            const std::uint64_t low1 = multiply(0xCA5A826395121157u, x[2], high1);
            x = {high1 ^ x[1] ^ k0, low1, high0 ^ x[3] ^ k1, low0};
            k0 += 0x9E3779B97F4A7C15u;
            k1 += 0xBB67AE8584CAA73Bu;
        }
        block_ = x;
        position_ = 0;
    }

    std::array<std::uint64_t, 2> key_;
    std::array<std::uint64_t, 4> counter_;
    std::array<std::uint64_t, 4> block_{};
    int position_ = 4;
};

}  // namespace rlt
