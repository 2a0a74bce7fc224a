#include "graph/end_components.hpp"

#include <numeric>
#include <utility>

#include "graph/components.hpp"

namespace rlt {

namespace {

class Peeling {
public:
    Peeling(const Graph& g, const std::vector<std::uint8_t>& keep)
        : g_(g),
          into_(g),
          alive_(keep),
          live_(static_cast<std::size_t>(g.n_states), 0),
          group_(static_cast<std::size_t>(g.n_states), 0) {
        for (std::size_t row = 0; row < alive_.size(); ++row) {
            if (g.ends[row]) alive_[row] = 0;
            if (alive_[row]) ++live_[static_cast<std::size_t>(g.owner[row])];
        }
    }

    EndComponents run() {
        for (std::int32_t s = 0; s < g_.n_states; ++s)
            if (group_[static_cast<std::size_t>(s)] == 0 && live_[static_cast<std::size_t>(s)] == 0)
                bury(s);
        std::vector<std::int64_t> found(static_cast<std::size_t>(g_.n_states), -1);
        std::vector<std::vector<std::int32_t>> left(1);
        for (std::int32_t s = 0; s < g_.n_states; ++s)
            if (group_[static_cast<std::size_t>(s)] == 0) left[0].push_back(s);
        ComponentFinder finder(g_);
        while (!left.empty()) {
            const std::vector<std::int32_t> members = std::move(left.back());
            left.pop_back();
            finder.run(members, alive_, group_);
            const std::int64_t first = next_group_;
            const std::size_t parts = finder.starts.size() - 1;
            for (std::size_t c = 0; c < parts; ++c, ++next_group_)
                for (std::size_t k = finder.starts[c]; k < finder.starts[c + 1]; ++k)
                    group_[static_cast<std::size_t>(finder.order[k])] = next_group_;
            first_ = first;
            changed_.assign(parts, 0);
            for (const std::int32_t s : finder.order) drop_leaving(s);
            for (std::size_t c = 0; c < parts; ++c) {
                std::vector<std::int32_t> rest;
                for (std::size_t k = finder.starts[c]; k < finder.starts[c + 1]; ++k)
                    if (group_[static_cast<std::size_t>(finder.order[k])] >= 0)
                        rest.push_back(finder.order[k]);
                if (rest.empty()) continue;
                if (changed_[c]) {
                    left.push_back(std::move(rest));
                    continue;
                }
                for (const std::int32_t s : rest)
                    found[static_cast<std::size_t>(s)] = first + static_cast<std::int64_t>(c);
            }
        }
        return numbered(found);
    }

private:
    void drop(std::int64_t row) {
        alive_[static_cast<std::size_t>(row)] = 0;
        const std::int32_t s = g_.owner[static_cast<std::size_t>(row)];
        const std::int64_t part = group_[static_cast<std::size_t>(s)] - first_;
        if (part >= 0 && part < static_cast<std::int64_t>(changed_.size()))
            changed_[static_cast<std::size_t>(part)] = 1;
        if (--live_[static_cast<std::size_t>(s)] == 0) bury(s);
    }

    // Nothing stays at this state: no row that leads to it does either.
    void bury(std::int32_t state) {
        group_[static_cast<std::size_t>(state)] = -1;
        buried_.push_back(state);
        if (burying_) return;
        burying_ = true;
        while (!buried_.empty()) {
            const std::int32_t t = buried_.back();
            buried_.pop_back();
            into_.each(t, [&](std::int64_t row) {
                if (alive_[static_cast<std::size_t>(row)]) drop(row);
            });
        }
        burying_ = false;
    }

    void drop_leaving(std::int32_t s) {
        for (std::int64_t row = g_.row_begin(s); row < g_.row_end(s); ++row) {
            if (!alive_[static_cast<std::size_t>(row)]) continue;
            bool leaves = false;
            g_.successors(row, [&](std::int32_t t) {
                leaves = leaves ||
                         group_[static_cast<std::size_t>(t)] != group_[static_cast<std::size_t>(s)];
            });
            if (leaves) drop(row);
        }
    }

    EndComponents numbered(const std::vector<std::int64_t>& found) const {
        EndComponents result{std::vector<std::int64_t>(found.size(), -1), alive_};
        std::vector<std::int64_t> number(static_cast<std::size_t>(next_group_), -1);
        std::int64_t count = 0;
        for (std::size_t s = 0; s < found.size(); ++s) {
            if (found[s] < 0) continue;
            std::int64_t& n = number[static_cast<std::size_t>(found[s])];
            if (n < 0) n = count++;
            result.label[s] = n;
        }
        return result;
    }

    const Graph& g_;
    Predecessors into_;
    std::vector<std::uint8_t> alive_;
    std::vector<std::int64_t> live_;   // rows that are left at each state
    std::vector<std::int64_t> group_;  // the part a state is in; -1: in no end component
    std::vector<std::int32_t> buried_;
    bool burying_ = false;
    std::int64_t next_group_ = 1;
    std::int64_t first_ = 1;  // group of the first of the parts at hand
    std::vector<std::uint8_t> changed_;
};

}  // namespace

EndComponents end_components(const Graph& g, const std::vector<std::uint8_t>& keep) {
    return Peeling(g, keep).run();
}

}  // namespace rlt
