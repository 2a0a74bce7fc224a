// Sums over all tuples of plans and offsets.
//
// The tuples of offsets of periods L_0 .. L_{N-1} fall into classes of H = lcm tuples each, those
// that one shift of time leads through. With o_i in 0 .. gcd(lcm(L_0 .. L_{i-1}), L_i) - 1 there is
// one tuple of each class: given the classes of the first i arms, shifts by multiples of
// lcm(L_0 .. L_{i-1}) remain, and these reach every o_i modulo that gcd.
#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "topics/lsd_bandits/schedule.hpp"

namespace rlt::lsd {

namespace {

bool nondecreasing(const RankedArms& arms, std::span<const std::int32_t> move) {
    for (std::int64_t i = 0; i < arms.count(); ++i)
        if (!std::is_sorted(move.begin() + arms.first[i], move.begin() + arms.first[i + 1]))
            return false;
    return true;
}

// All tuples of plans, and for each a tuple of offsets of every class.
class Tuples {
public:
    explicit Tuples(const Plans& plans)
        : plans_(plans),
          chosen_(plans.first.begin(), plans.first.end() - 1),
          offsets_(chosen_.size(), 0),
          periods_(chosen_.size()),
          classes_(chosen_.size()) {
        measure();
    }

    bool next_plans() {
        for (std::size_t i = chosen_.size(); i-- > 0;) {
            if (++chosen_[i] < plans_.first[i + 1]) return measure(), true;
            chosen_[i] = plans_.first[i];
        }
        return false;
    }

    bool next_offsets() {
        for (std::size_t i = offsets_.size(); i-- > 0;) {
            if (++offsets_[i] < classes_[i]) return true;
            offsets_[i] = 0;
        }
        return false;
    }

    // The offsets after h rounds.
    void shift(std::int64_t h, std::int64_t* phases) const {
        for (std::size_t i = 0; i < offsets_.size(); ++i)
            phases[i] = (offsets_[i] + h) % periods_[i];
    }

    const std::int32_t* plans() const { return chosen_.data(); }
    const std::int64_t* offsets() const { return offsets_.data(); }
    std::int64_t period() const { return period_; }
    std::int64_t size() const { return size_; }
    bool leaves_out_an_arm() const {
        return std::any_of(chosen_.begin(), chosen_.end(),
                           [this](std::int32_t j) { return plans_.states[plans_.begin[j]] < 0; });
    }

private:
    void measure() {
        period_ = size_ = 1;
        for (std::size_t i = 0; i < chosen_.size(); ++i) {
            periods_[i] = plans_.period(chosen_[i]);
            classes_[i] = std::gcd(period_, periods_[i]);
            period_ *= periods_[i] / classes_[i];
            size_ *= periods_[i];
        }
    }

    const Plans& plans_;
    std::vector<std::int32_t> chosen_;
    std::vector<std::int64_t> offsets_, periods_, classes_;
    std::int64_t period_ = 1, size_ = 1;
};

// The cycles of (round modulo H, joint state) into which the H starts of one class lead.
class Cycles {
public:
    Cycles(Interleaving& schedule, const Tuples& tuples, std::int64_t size)
        : schedule_(schedule), tuples_(tuples), phases_(size) {}

    // Adds to counts, which are over `rounds` rounds, and makes `rounds` a multiple of each period.
    void add(std::span<std::int64_t> counts, std::int64_t& rounds, std::vector<std::int64_t>& one) {
        const std::int64_t period = tuples_.period(), joints = schedule_.joints();
        clear(period * joints);
        for (std::int64_t h = 0; h < period; ++h) {
            start(h);
            const std::int64_t walk = before_ + static_cast<std::int64_t>(walks_.size());
            std::int64_t at = h, node = at * joints + schedule_.joint();
            while (marks_[node] < before_) {
                marks_[node] = walk;
                schedule_.decide();
                schedule_.advance();
                at = at + 1 == period ? 0 : at + 1;
                node = at * joints + schedule_.joint();
            }
            if (marks_[node] == walk) {
                walks_.push_back(static_cast<std::int32_t>(found_.size()));
                found_.push_back({at, 0});
                measure(found_.back(), node, joints, counts.size(), one);
            } else {
                walks_.push_back(walks_[marks_[node] - before_]);
            }
            ++found_[walks_.back()].starts;
        }
        for (std::size_t c = 0; c < found_.size(); ++c) {
            const std::int64_t common = std::lcm(rounds, found_[c].rounds);
            if (common > most_rounds)
                throw std::overflow_error(
                    "the periods of the real states have no common multiple "
                    "that can be counted");
            for (auto& count : counts) count *= common / rounds;
            rounds = common;
            const std::int64_t times = found_[c].starts * (rounds / found_[c].rounds);
            for (std::size_t s = 0; s < counts.size(); ++s)
                counts[s] += times * one[c * counts.size() + s];
        }
    }

    static constexpr std::int64_t most_rounds = std::int64_t{1} << 32;

private:
    struct Cycle {
        std::int64_t rounds, starts;
    };

    // Forgets all walks: marks below `before_` count for nothing.
    void clear(std::int64_t nodes) {
        before_ += static_cast<std::int64_t>(walks_.size());
        if (nodes > static_cast<std::int64_t>(marks_.size())) marks_.resize(nodes, 0);
        walks_.clear();
        found_.clear();
    }

    void start(std::int64_t h) {
        tuples_.shift(h, phases_.data());
        schedule_.choose(tuples_.plans(), phases_.data());
        schedule_.move_to_top();
    }

    // Goes round the cycle on which the schedule now is.
    void measure(Cycle& cycle, std::int64_t node, std::int64_t joints, std::size_t size,
                 std::vector<std::int64_t>& one) {
        one.resize(found_.size() * size);
        std::int64_t* counts = one.data() + (found_.size() - 1) * size;
        std::fill_n(counts, size, 0);
        const std::int64_t period = tuples_.period();
        std::int64_t at = cycle.rounds, here = node;
        cycle.rounds = 0;
        do {
            schedule_.decide();
            schedule_.add_plays(counts);
            schedule_.advance();
            at = at + 1 == period ? 0 : at + 1;
            here = at * joints + schedule_.joint();
            ++cycle.rounds;
        } while (here != node);
    }

    Interleaving& schedule_;
    const Tuples& tuples_;
    std::vector<std::int64_t> phases_;
    std::vector<std::int64_t> marks_;
    std::vector<std::int32_t> walks_;
    std::vector<Cycle> found_;
    std::int64_t before_ = 1;
};

// With nondecreasing maps and plays that do not depend on real states, the states at every H-th
// round fall from the top to a fixed point, and those of all starts of a class are one orbit
// (docs/theory/lsd_rounding.md): any one start will do.
std::int64_t add_orbit(Interleaving& schedule, const Tuples& tuples, std::int64_t* counts,
                       std::vector<std::int64_t>& one, std::vector<std::int32_t>& before) {
    schedule.choose(tuples.plans(), tuples.offsets());
    schedule.move_to_top();
    do {
        before = schedule.states();
        std::fill(one.begin(), one.end(), 0);
        for (std::int64_t t = 0; t < tuples.period(); ++t) {
            schedule.decide();
            schedule.add_plays(one.data());
            schedule.advance();
        }
    } while (before != schedule.states());
    for (std::size_t s = 0; s < one.size(); ++s) counts[s] += one[s];
    return tuples.period();
}

}  // namespace

bool moves_are_ordered(const RankedArms& arms) {
    return nondecreasing(arms, arms.play_next) && nondecreasing(arms, arms.rest_next);
}

std::int64_t expected_counts(const Setting& setting, std::int64_t* counts, std::int64_t* rounds) {
    Interleaving schedule(setting);
    Tuples tuples(setting.plans);
    const auto size = static_cast<std::size_t>(setting.arms.first.back());
    const bool ordered = setting.rule == Rule::virtual_payoff && moves_are_ordered(setting.arms);
    Cycles cycles(schedule, tuples, setting.arms.count());
    std::vector<std::int64_t> one(size);
    std::vector<std::int32_t> before(setting.arms.count());
    do {
        std::fill_n(counts, size, 0);
        if (ordered && !(setting.filler && tuples.leaves_out_an_arm())) {
            one.resize(size);
            *rounds = 0;
            do *rounds += add_orbit(schedule, tuples, counts, one, before);
            while (tuples.next_offsets());
        } else {
            std::int64_t common = 1;
            do cycles.add({counts, size}, common, one);
            while (tuples.next_offsets());
            *rounds = common * tuples.size();
        }
        counts += size;
        ++rounds;
    } while (tuples.next_plans());
    return schedule.violations();
}

std::int64_t expected_curve(const Setting& setting, std::int64_t length, std::int64_t* counts) {
    Interleaving schedule(setting);
    Tuples tuples(setting.plans);
    const std::int64_t size = setting.arms.first.back();
    std::vector<std::int64_t> phases(setting.arms.count());
    do {
        std::fill_n(counts, length * size, 0);
        do {
            for (std::int64_t h = 0; h < tuples.period(); ++h) {
                tuples.shift(h, phases.data());
                schedule.choose(tuples.plans(), phases.data());
                schedule.move_to_top();
                for (std::int64_t t = 0; t < length; ++t) {
                    schedule.decide();
                    schedule.add_plays(counts + t * size);
                    schedule.advance();
                }
            }
        } while (tuples.next_offsets());
        counts += length * size;
    } while (tuples.next_plans());
    return schedule.violations();
}

}  // namespace rlt::lsd
