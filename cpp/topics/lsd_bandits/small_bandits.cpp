#include "topics/lsd_bandits/small_bandits.hpp"

#include <stdexcept>
#include <string>

namespace rlt::lsd {

namespace {

constexpr std::int64_t most_states = std::int64_t{1} << 16;
constexpr std::int64_t most_arms = 4;

double power(double base, std::int64_t exponent) {
    double out = 1.0;
    for (std::int64_t i = 0; i < exponent; ++i) out *= base;
    return out;
}

}  // namespace

SmallBandits::SmallBandits(std::span<const std::int32_t> rests, std::span<const std::int32_t> plays,
                           std::int64_t largest_payoff)
    : n_(static_cast<std::int64_t>(rests.size())),
      rests_(rests.begin(), rests.end()),
      plays_(plays.begin(), plays.end()),
      first_(rests.size() + 1, 0) {
    if (n_ < 1 || n_ > most_arms || plays.size() != rests.size())
        throw std::invalid_argument("there are " + std::to_string(n_) + " arms; 1 to " +
                                    std::to_string(most_arms) + " are allowed");
    std::int64_t all = 1;
    std::int64_t longest = 0;
    for (std::int64_t i = 0; i < n_; ++i) {
        if (rests_[i] < 1 || plays_[i] < 1 || rests_[i] + plays_[i] > most_states)
            throw std::invalid_argument("arm " + std::to_string(i) + " has " +
                                        std::to_string(rests_[i]) + " rests and " +
                                        std::to_string(plays_[i]) + " plays; at least 1 of each");
        first_[i + 1] = first_[i] + size(i);
        all *= size(i);
        longest = std::max(longest, size(i));
        if (all > most_states)
            throw std::invalid_argument("there are more than " + std::to_string(most_states) +
                                        " joint states");
    }
    const double most_paid = static_cast<double>(largest_payoff);
    const double widest =
        std::max(static_cast<double>(all) * static_cast<double>(all),
                 static_cast<double>(n_ + 2) * power(static_cast<double>(longest), 2 * n_ + 4));
    if (largest_payoff < 1 || widest * most_paid >= 4.0e18)
        throw std::invalid_argument("payoffs of up to " + std::to_string(largest_payoff) +
                                    " may overflow 64 bits at this shape");
    lay_out(all);
}

// Joint states in the order in which they are found, from the rested one.
void SmallBandits::lay_out(std::int64_t joint_states) {
    std::vector<std::int32_t> index(joint_states, -1);
    std::vector<std::int64_t> found{joint_states - 1};
    index[joint_states - 1] = 0;
    for (std::size_t v = 0; v < found.size(); ++v) {
        for (std::int64_t a = 0; a <= n_; ++a) {
            std::int64_t rest_of = found[v];
            std::int64_t stride = 1;
            std::int64_t next = 0;
            std::int32_t paid = -1;
            for (std::int64_t i = n_ - 1; i >= 0; --i) {
                const std::int64_t s = rest_of % size(i);
                rest_of /= size(i);
                if (a == i + 1) paid = static_cast<std::int32_t>(first_[i] + s);
                next += stride * (a == i + 1 ? played(i, s) : rested(i, s));
                stride *= size(i);
            }
            if (index[next] < 0) {
                index[next] = static_cast<std::int32_t>(found.size());
                found.push_back(next);
            }
            next_.push_back(index[next]);
            paid_.push_back(paid);
        }
    }
    states_ = static_cast<std::int64_t>(found.size());
}

}  // namespace rlt::lsd
