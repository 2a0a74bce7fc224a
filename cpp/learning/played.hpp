// Which policy was played when: distinct policies as changes, each kept once.
//
// Policies are known again by the exclusive or, over all places, of one random word of 128 bits for
// each (place, action) (Zobrist 1970): two different ones are taken for the same with probability
// 2^-128 a pair.
#pragma once

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "support/philox.hpp"

namespace rlt {

// Integers of 1, 2 or 4 bytes, as few as the largest one needs.
class PackedIntegers {
public:
    explicit PackedIntegers(std::uint64_t largest)
        : width(largest < 256     ? 1
                : largest < 65536 ? 2
                                  : 4) {}

    void push(std::uint32_t x) {
        std::uint8_t bytes[4];
        if (width == 1) {
            bytes[0] = static_cast<std::uint8_t>(x);
        } else if (width == 2) {
            const auto half = static_cast<std::uint16_t>(x);
            std::memcpy(bytes, &half, 2);
        } else {
            std::memcpy(bytes, &x, 4);
        }
        bytes_.insert(bytes_.end(), bytes, bytes + width);
    }

    std::int64_t size() const { return static_cast<std::int64_t>(bytes_.size()) / width; }
    const std::vector<std::uint8_t>& bytes() const { return bytes_; }

    int width;

private:
    std::vector<std::uint8_t> bytes_;
};

class PlayedPolicies {
public:
    PlayedPolicies(std::int64_t size, std::int64_t n_actions)
        : places(static_cast<std::uint64_t>(size - 1)),
          actions(static_cast<std::uint64_t>(n_actions - 1)),
          offsets{0},
          size_(size),
          n_actions_(n_actions),
          current_(static_cast<std::size_t>(size), 0),
          last_distinct_(static_cast<std::size_t>(size), 0),
          words_(static_cast<std::size_t>(size * n_actions)) {
        Philox random(0x706c61796564u, 0);
        for (Hash& word : words_) word = {random.next(), random.next()};
    }

    // The policy from this episode on.
    void add(std::int64_t episode, const std::uint16_t* policy) {
        bool changed = starts.empty();
        each_change(current_, policy, [&](std::int64_t place, std::uint16_t action) {
            std::uint16_t& held = current_[static_cast<std::size_t>(place)];
            mix(place, held);
            mix(place, action);
            held = action;
            changed = true;
        });
        if (!changed) return;
        const auto [found, is_new] =
            known_.try_emplace(hash_, static_cast<std::int32_t>(known_.size()));
        starts.push_back(episode);
        which.push_back(found->second);
        if (!is_new) return;
        each_change(last_distinct_, policy, [&](std::int64_t place, std::uint16_t action) {
            places.push(static_cast<std::uint32_t>(place));
            actions.push(action);
            last_distinct_[static_cast<std::size_t>(place)] = action;
        });
        offsets.push_back(places.size());
    }

    PackedIntegers places, actions;     // the changes of all distinct policies
    std::vector<std::int64_t> offsets;  // where those of each begin
    std::vector<std::int64_t> starts;   // first episode of each stretch
    std::vector<std::int32_t> which;    // its policy

private:
    struct Hash {
        std::uint64_t low = 0, high = 0;
        bool operator==(const Hash&) const = default;
    };
    struct LowWord {
        std::size_t operator()(const Hash& x) const { return static_cast<std::size_t>(x.low); }
    };

    void mix(std::int64_t place, std::uint16_t action) {
        const Hash& word = words_[static_cast<std::size_t>(place * n_actions_ + action)];
        hash_.low ^= word.low;
        hash_.high ^= word.high;
    }

    template <class F>
    void each_change(const std::vector<std::uint16_t>& from, const std::uint16_t* to, F&& f) const {
        constexpr std::int64_t chunk = 32;  // mostly the same: compared 64 bytes at a time
        for (std::int64_t i = 0; i < size_; i += chunk) {
            const std::int64_t n = std::min(chunk, size_ - i);
            if (std::memcmp(from.data() + i, to + i, static_cast<std::size_t>(n) * 2) == 0)
                continue;
            for (std::int64_t j = i; j < i + n; ++j)
                if (from[static_cast<std::size_t>(j)] != to[j]) f(j, to[j]);
        }
    }

    std::int64_t size_, n_actions_;
    std::vector<std::uint16_t> current_, last_distinct_;
    std::vector<Hash> words_;
    Hash hash_;
    std::unordered_map<Hash, std::int32_t, LowWord> known_;
};

}  // namespace rlt
