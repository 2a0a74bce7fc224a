#include "topics/lsd_bandits/schedule.hpp"

#include <algorithm>

namespace rlt::lsd {

Interleaving::Interleaving(const Setting& setting)
    : setting_(setting),
      at_(setting.arms.count()),
      begin_(setting.arms.count()),
      end_(setting.arms.count()),
      states_(setting.arms.count()),
      played_(setting.most_plays),
      ranks_(setting.most_plays),
      is_played_(setting.arms.count(), 0) {}

void Interleaving::choose(const std::int32_t* plans, const std::int64_t* phases) {
    for (std::size_t i = 0; i < at_.size(); ++i) {
        begin_[i] = setting_.plans.begin[plans[i]];
        end_[i] = setting_.plans.begin[plans[i] + 1];
        at_[i] = begin_[i] + phases[i];
    }
    running_ = -1;
}

void Interleaving::move_to(const std::int32_t* states) {
    std::copy_n(states, states_.size(), states_.begin());
    running_ = -1;
}

void Interleaving::move_to_top() {
    for (std::size_t i = 0; i < states_.size(); ++i) states_[i] = setting_.arms.sizes[i] - 1;
    running_ = -1;
}

// Keeps played_[from..count_) sorted by falling rank, earlier arms first among equals.
void Interleaving::insert(std::int32_t arm, std::int32_t rank, std::int64_t from) {
    std::int64_t place = count_;
    while (place > from && ranks_[place - 1] < rank) --place;
    if (place == setting_.most_plays) return;
    if (count_ < setting_.most_plays) ++count_;
    for (std::int64_t j = count_ - 1; j > place; --j) {
        played_[j] = played_[j - 1];
        ranks_[j] = ranks_[j - 1];
    }
    played_[place] = arm;
    ranks_[place] = rank;
}

void Interleaving::decide_blocks() {
    const auto& plays = setting_.plans.plays;
    if (running_ >= 0 && plays[at_[running_]] == 0) running_ = -1;
    for (std::size_t i = 0; i < at_.size() && running_ < 0; ++i) {
        const std::int64_t before = at_[i] == begin_[i] ? end_[i] - 1 : at_[i] - 1;
        if (plays[at_[i]] != 0 && plays[before] == 0) running_ = static_cast<std::int64_t>(i);
    }
    if (running_ >= 0) played_[count_++] = static_cast<std::int32_t>(running_);
}

void Interleaving::decide() {
    const auto& arms = setting_.arms;
    const auto& plans = setting_.plans;
    const auto n = static_cast<std::int32_t>(at_.size());
    count_ = 0;
    for (std::int32_t i = 0; i < n; ++i) {
        const std::int32_t virtually = plans.states[at_[i]];
        if (states_[i] < virtually) ++violations_;
        if (plans.plays[at_[i]] == 0 || setting_.rule == Rule::block_commit) continue;
        const std::int64_t first = arms.first[i];
        const std::int32_t ranked = setting_.rule == Rule::real_payoff ? states_[i] : virtually;
        insert(i, arms.payoffs[first + ranked], 0);
    }
    if (setting_.rule == Rule::block_commit) decide_blocks();
    for (const std::int32_t i : played()) {
        const std::int64_t first = arms.first[i];
        const std::int32_t virtually = plans.states[at_[i]];
        if (arms.payoffs[first + states_[i]] < arms.payoffs[first + virtually]) ++violations_;
    }
    if (!setting_.filler || count_ == setting_.most_plays) return;
    const std::int64_t candidates = count_;
    for (std::int32_t i = 0; i < n; ++i) {
        const std::int32_t rank = arms.payoffs[arms.first[i] + states_[i]];
        if (plans.states[at_[i]] < 0 && rank > 0) insert(i, rank, candidates);
    }
}

void Interleaving::advance() {
    for (const std::int32_t i : played()) is_played_[i] = 1;
    const auto& arms = setting_.arms;
    for (std::size_t i = 0; i < at_.size(); ++i) {
        const std::int64_t s = arms.first[i] + states_[i];
        states_[i] = is_played_[i] != 0 ? arms.play_next[s] : arms.rest_next[s];
        is_played_[i] = 0;
        if (++at_[i] == end_[i]) at_[i] = begin_[i];
    }
}

void Interleaving::add_plays(std::int64_t* counts) const {
    for (const std::int32_t i : played()) ++counts[setting_.arms.first[i] + states_[i]];
}

std::int64_t Interleaving::joint() const {
    std::int64_t joint = running_ + 1;
    for (std::size_t i = 0; i < states_.size(); ++i)
        joint = joint * setting_.arms.sizes[i] + states_[i];
    return joint;
}

std::int64_t run_schedule(const Setting& setting, const std::int32_t* plans,
                          const std::int64_t* phases, const std::int32_t* start,
                          std::int64_t rounds, std::int32_t* states, std::uint8_t* plays) {
    Interleaving schedule(setting);
    schedule.choose(plans, phases);
    schedule.move_to(start);
    const std::int64_t n = setting.arms.count();
    std::fill_n(plays, rounds * n, std::uint8_t{0});
    for (std::int64_t t = 0; t < rounds; ++t) {
        std::copy(schedule.states().begin(), schedule.states().end(), states + t * n);
        schedule.decide();
        for (const std::int32_t i : schedule.played()) plays[t * n + i] = 1;
        schedule.advance();
    }
    return schedule.violations();
}

LongRun long_run(const Setting& setting, const std::int32_t* plans, const std::int64_t* phases,
                 std::int64_t period, std::int64_t most_rounds, std::int64_t* counts) {
    Interleaving schedule(setting);
    schedule.choose(plans, phases);
    schedule.move_to_top();
    const std::int64_t size = setting.arms.first.back();
    auto mark = schedule.states();
    std::int64_t marked = schedule.running(), since = 0, power = 1;
    std::fill_n(counts, size, 0);
    for (std::int64_t done = 0; done + period <= most_rounds; done += period) {
        for (std::int64_t t = 0; t < period; ++t) {
            schedule.decide();
            schedule.add_plays(counts);
            schedule.advance();
        }
        ++since;
        if (schedule.states() == mark && schedule.running() == marked)
            return {since * period, schedule.violations()};
        if (since == power) {
            mark = schedule.states();
            marked = schedule.running();
            power *= 2;
            since = 0;
            std::fill_n(counts, size, 0);
        }
    }
    return {0, schedule.violations()};
}

std::int64_t window_counts(const Setting& setting, std::int64_t n, const std::int32_t* plans,
                           const std::int64_t* phases, std::int64_t skipped, std::int64_t rounds,
                           std::int64_t* counts) {
    Interleaving schedule(setting);
    const std::int64_t size = setting.arms.first.back(), arms = setting.arms.count();
    std::fill_n(counts, n * size, 0);
    for (std::int64_t j = 0; j < n; ++j) {
        schedule.choose(plans + j * arms, phases + j * arms);
        schedule.move_to_top();
        for (std::int64_t t = 0; t < skipped + rounds; ++t) {
            schedule.decide();
            if (t >= skipped) schedule.add_plays(counts + j * size);
            schedule.advance();
        }
    }
    return schedule.violations();
}

}  // namespace rlt::lsd
