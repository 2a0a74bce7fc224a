#include "graph/howard.hpp"

#include <algorithm>
#include <utility>

namespace rlt {

namespace {

constexpr int most_sweeps = 16;

// Raises level and potential of one vertex to the best of its arcs; whether they rose.
bool raise(const Arcs<std::int64_t>& arcs, PolicyCycles& at, std::int64_t v) {
    std::int64_t best = -1;
    std::int32_t level = at.level[v];
    Int128 value = at.found.potential[v];
    for (std::int64_t a = arcs.first(v); a < arcs.first(v + 1); ++a) {
        const std::int32_t t = arcs.to[a], there = at.level[t];
        if (there < level) continue;
        const Int128 ahead = at.level_gain[there].step(arcs.weight[a], at.found.potential[t]);
        if (there == level && ahead <= value) continue;
        best = a;
        level = there;
        value = ahead;
    }
    if (best < 0) return false;
    at.found.policy[v] = best;
    at.found.potential[v] = value;
    at.level[v] = level;
    return true;
}

// Which arcs lead to a vertex.
class ArcsInto {
public:
    // All memory is taken when it is first needed.
    void build(const Arcs<std::int64_t>& arcs) {
        if (!ptr_.empty()) return;
        ptr_.assign(static_cast<std::size_t>(arcs.vertices) + 1, 0);
        arc_.resize(static_cast<std::size_t>(arcs.count()));
        from_.resize(arc_.size());
        queue_.reserve(static_cast<std::size_t>(arcs.vertices));
        by_level_.resize(static_cast<std::size_t>(arcs.vertices));
        start_.resize(static_cast<std::size_t>(arcs.vertices) + 1);
        for (std::int64_t a = 0; a < arcs.count(); ++a) ++ptr_[arcs.to[a]];
        for (std::int64_t v = 0, end = 0; v <= arcs.vertices; ++v) {
            end += ptr_[v];
            ptr_[v] = end;
        }
        // Each pointer goes down from the end of its arcs to their beginning.
        for (std::int64_t v = arcs.vertices; v-- > 0;)
            for (std::int64_t a = arcs.first(v + 1); a-- > arcs.first(v);) {
                const std::int64_t place = --ptr_[arcs.to[a]];
                arc_[place] = a;
                from_[place] = static_cast<std::int32_t>(v);
            }
    }

    // Whatever reaches a larger gain is led to the largest by fewest arcs; whether something was.
    bool lead_to_larger(const Arcs<std::int64_t>& arcs, PolicyCycles& at) {
        const auto levels = static_cast<std::int32_t>(at.level_gain.size());
        if (levels == 1) return false;
        build(arcs);
        sort_by_level(at.level, levels);
        bool led = false;
        for (std::int32_t top = levels; top-- > 1;) {
            queue_.clear();
            for (std::int32_t i = start_[top]; i < start_[top + 1]; ++i)
                if (at.level[by_level_[i]] == top) queue_.push_back(by_level_[i]);
            const std::size_t own = queue_.size();
            for (std::size_t k = 0; k < queue_.size(); ++k) {
                const std::int32_t t = queue_[k];
                for (std::int64_t i = ptr_[t]; i < ptr_[t + 1]; ++i) {
                    const std::int32_t v = from_[i];
                    if (at.level[v] >= top) continue;
                    at.level[v] = top;
                    at.found.policy[v] = arc_[i];
                    at.found.potential[v] =
                        at.level_gain[top].step(arcs.weight[arc_[i]], at.found.potential[t]);
                    queue_.push_back(v);
                }
            }
            led = led || queue_.size() > own;
        }
        return led;
    }

private:
    void sort_by_level(const std::vector<std::int32_t>& level, std::int32_t levels) {
        std::fill_n(start_.begin(), levels + 1, 0);
        for (const std::int32_t l : level) ++start_[l];
        for (std::int32_t l = 0, end = 0; l <= levels; ++l) start_[l] = end += start_[l];
        for (auto v = static_cast<std::int32_t>(level.size()); v-- > 0;)
            by_level_[--start_[level[v]]] = v;
    }

    std::vector<std::int64_t> ptr_;
    std::vector<std::int64_t> arc_;
    std::vector<std::int32_t> from_;
    std::vector<std::int32_t> queue_;
    std::vector<std::int32_t> by_level_;
    std::vector<std::int32_t> start_;  // of each level in by_level_
};

// Down and up in turn, at most so many sweeps; whether something rose.
bool improve(const Arcs<std::int64_t>& arcs, PolicyCycles& at, int sweeps, bool down) {
    for (int sweep = 0; sweep < sweeps; ++sweep, down = !down) {
        bool rose = false;
        if (down)
            for (std::int64_t v = arcs.vertices; v-- > 0;) rose = raise(arcs, at, v) || rose;
        else
            for (std::int64_t v = 0; v < arcs.vertices; ++v) rose = raise(arcs, at, v) || rose;
        if (!rose) return sweep > 0;
    }
    return true;
}

}  // namespace

MeanCycles howard_cycles(const Arcs<std::int64_t>& arcs, const Monitor& monitor) {
    PolicyCycles at(arcs);
    const std::int64_t* weight = arcs.weight;
    for (std::int64_t v = 0; v < arcs.vertices; ++v)
        at.found.policy[v] =
            std::max_element(weight + arcs.first(v), weight + arcs.first(v + 1)) - weight;
    ArcsInto into;
    // While cycles are bad, many sweeps raise values by laps around better ones, in an order that
    // hides these; they help once the cycle is good.
    int sweeps = 1;
    Gain largest;
    for (bool down = true;; down = !down) {
        monitor();
        at.evaluate();
        ++at.found.iterations;
        const bool better = at.found.iterations == 1 || largest < at.level_gain.back();
        largest = at.level_gain.back();
        sweeps = better ? 1 : std::min(2 * sweeps, most_sweeps);
        const bool led = into.lead_to_larger(arcs, at);
        if (!improve(arcs, at, sweeps, down) && !led) break;
    }
    return std::move(at.found);
}

}  // namespace rlt
