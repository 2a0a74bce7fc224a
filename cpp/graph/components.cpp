#include "graph/components.hpp"

#include <algorithm>
#include <numeric>

namespace rlt {

ComponentFinder::ComponentFinder(const Graph& g)
    : g_(g),
      index_(static_cast<std::size_t>(g.n_states), 0),
      low_(static_cast<std::size_t>(g.n_states), 0) {}

void ComponentFinder::enter(std::int32_t s) {
    index_[static_cast<std::size_t>(s)] = low_[static_cast<std::size_t>(s)] = ++seen_;
    stack_.push_back(s);
    const std::int64_t row = g_.row_begin(s);
    frames_.push_back({s, row, g_.row_ptr[static_cast<std::size_t>(row)]});
}

void ComponentFinder::run(const std::vector<std::int32_t>& members,
                          const std::vector<std::uint8_t>& keep,
                          const std::vector<std::int64_t>& group) {
    order.clear();
    starts.assign(1, 0);
    seen_ = 0;
    for (const std::int32_t s : members) index_[static_cast<std::size_t>(s)] = 0;
    for (const std::int32_t root : members) {
        if (index_[static_cast<std::size_t>(root)] != 0) continue;
        enter(root);
        while (!frames_.empty()) {
            Frame& f = frames_.back();
            const auto s = static_cast<std::size_t>(f.state);
            const std::int64_t last = g_.row_end(f.state);
            bool deeper = false;
            for (; f.row < last && !deeper; ++f.row) {
                const auto row = static_cast<std::size_t>(f.row);
                f.entry = std::max(f.entry, g_.row_ptr[row]);
                if (!keep[row]) continue;
                for (; f.entry < g_.row_ptr[row + 1]; ++f.entry) {
                    const std::int32_t to = g_.col[static_cast<std::size_t>(f.entry)];
                    const auto t = static_cast<std::size_t>(to);
                    if (group[t] != group[s] || index_[t] < 0) continue;
                    if (index_[t] == 0) {
                        enter(to);  // the frame is looked at again, at this entry
                        deeper = true;
                        break;
                    }
                    low_[s] = std::min(low_[s], low_[t]);
                }
                if (deeper) break;
            }
            if (deeper) continue;
            if (low_[s] == index_[s]) {
                std::int32_t t;
                do {
                    t = stack_.back();
                    stack_.pop_back();
                    index_[static_cast<std::size_t>(t)] = -1;
                    order.push_back(t);
                } while (static_cast<std::size_t>(t) != s);
                starts.push_back(order.size());
            }
            frames_.pop_back();
        }
    }
}

std::vector<std::int64_t> components(const Graph& g, const std::vector<std::uint8_t>& keep) {
    const auto n = static_cast<std::size_t>(g.n_states);
    std::vector<std::int32_t> all(n);
    std::iota(all.begin(), all.end(), 0);
    ComponentFinder finder(g);
    finder.run(all, keep, std::vector<std::int64_t>(n, 0));
    std::vector<std::int64_t> label(n);
    for (std::size_t c = 0; c + 1 < finder.starts.size(); ++c)
        for (std::size_t k = finder.starts[c]; k < finder.starts[c + 1]; ++k)
            label[static_cast<std::size_t>(finder.order[k])] = static_cast<std::int64_t>(c);
    return label;
}

}  // namespace rlt
