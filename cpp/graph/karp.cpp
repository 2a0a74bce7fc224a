#include "graph/karp.hpp"

#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace rlt {

namespace {

class Karp {
public:
    Karp(const Arcs<std::int64_t>& arcs, const std::vector<std::int64_t>& part)
        : arcs_(arcs),
          part_(part),
          at_(arcs),
          start_(static_cast<std::size_t>(*std::max_element(part.begin(), part.end())) + 2, 0),
          member_(static_cast<std::size_t>(arcs.vertices)),
          place_(static_cast<std::size_t>(arcs.vertices)),
          assigned_(static_cast<std::size_t>(arcs.vertices), 0),
          seen_(static_cast<std::size_t>(arcs.vertices), -1),
          best_(start_.size() - 1) {
        for (std::int64_t v = 0; v < arcs.vertices; ++v) ++start_[part[v] + 1];
        for (std::size_t c = 1; c < start_.size(); ++c) start_[c] += start_[c - 1];
        std::vector<std::int64_t> next(start_.begin(), start_.end() - 1);
        for (std::int64_t v = 0; v < arcs.vertices; ++v) {
            place_[v] = static_cast<std::int32_t>(next[part[v]] - start_[part[v]]);
            member_[next[part[v]]++] = static_cast<std::int32_t>(v);
        }
        std::int64_t largest = 0;
        for (std::size_t c = 1; c < start_.size(); ++c)
            largest = std::max(largest, start_[c] - start_[c - 1]);
        if (largest > most_karp_vertices)
            throw std::invalid_argument(
                "the largest strongly connected part has " + std::to_string(largest) +
                " vertices; the tables of method 'karp' are for at most " +
                std::to_string(most_karp_vertices) + ": use method 'howard'");
        walks_.resize(static_cast<std::size_t>(largest * (largest + 1)));
        trail_.reserve(static_cast<std::size_t>(largest) + 1);
    }

    MeanCycles run(const Monitor& monitor) {
        for (std::size_t c = 0; c + 1 < start_.size(); ++c) solve_part(c, monitor);
        lead_to_cycles(monitor);
        at_.evaluate();
        for (std::int64_t v = 0; v < arcs_.vertices; ++v) {
            const Gain& told = best_[part_[v]].gain;
            const Gain& found = at_.found.gain[at_.found.cycle[v]];
            if (told < found || found < told)
                throw std::logic_error("a cycle's mean is not that of Karp's formula");
        }
        relax(monitor);
        return std::move(at_.found);
    }

private:
    static constexpr Int128 none = -(Int128{1} << 126);

    struct Best {
        Gain gain{};
        bool known = false;
    };

    Int128& walk(std::int64_t j, std::int64_t n, std::int32_t v) {
        return walks_[j * n + place_[v]];
    }

    // Parts that are reached come first: their gains are final.
    void solve_part(std::size_t c, const Monitor& monitor) {
        Best reached;
        bool cyclic = false;
        each_arc(c, [&](std::int32_t, std::int64_t a) {
            const std::int64_t other = part_[arcs_.to[a]];
            if (other == static_cast<std::int64_t>(c))
                cyclic = true;
            else if (!reached.known || reached.gain < best_[other].gain)
                reached = best_[other];
        });
        best_[c] = reached;
        if (!cyclic) return;
        const auto [gain, end] = formula(c, monitor);
        if (reached.known && gain < reached.gain) return;
        best_[c] = {gain, true};
        take_cycle(c, end);
    }

    template <class F>
    void each_arc(std::size_t c, F&& f) {
        for (std::int64_t i = start_[c]; i < start_[c + 1]; ++i)
            for (std::int64_t a = arcs_.first(member_[i]); a < arcs_.first(member_[i] + 1); ++a)
                f(member_[i], a);
    }

    template <class F>
    void each_inner_arc(std::size_t c, F&& f) {
        each_arc(c, [&](std::int32_t v, std::int64_t a) {
            if (part_[arcs_.to[a]] == static_cast<std::int64_t>(c)) f(v, a);
        });
    }

    std::pair<Gain, std::int32_t> formula(std::size_t c, const Monitor& monitor) {
        const std::int64_t n = start_[c + 1] - start_[c];
        std::fill_n(walks_.begin(), n * (n + 1), none);
        walks_[0] = 0;
        for (std::int64_t j = 1; j <= n; ++j) {
            monitor();
            each_inner_arc(c, [&](std::int32_t u, std::int64_t a) {
                const Int128 before = walk(j - 1, n, u);
                if (before == none) return;
                Int128& here = walk(j, n, arcs_.to[a]);
                here = std::max(here, before + arcs_.weight[a]);
            });
        }
        Gain most{};
        std::int32_t end = -1;
        for (std::int64_t i = start_[c]; i < start_[c + 1]; ++i) {
            const std::int32_t v = member_[i];
            const Int128 last = walk(n, n, v);
            if (last == none) continue;
            Gain least{};
            bool any = false;
            for (std::int64_t j = 0; j < n; ++j) {
                const Int128 first = walk(j, n, v);
                if (first == none) continue;
                const Gain mean{last - first, n - j};
                if (!any || mean < least) least = mean;
                any = true;
            }
            if (!any || (end >= 0 && !(most < least))) continue;
            most = least;
            end = v;
        }
        return {most, end};
    }

    // Goes back along the walk to `end` until a vertex is met again.
    void take_cycle(std::size_t c, std::int32_t end) {
        const std::int64_t n = start_[c + 1] - start_[c];
        std::int32_t v = end;
        trail_.clear();
        for (std::int64_t j = n; seen_[v] < 0; --j) {
            seen_[v] = static_cast<std::int32_t>(trail_.size());
            std::int64_t taken = -1;
            std::int32_t from = -1;
            each_inner_arc(c, [&](std::int32_t u, std::int64_t a) {
                if (taken >= 0 || arcs_.to[a] != v) return;
                const Int128 before = walk(j - 1, n, u);
                if (before == none || before + arcs_.weight[a] != walk(j, n, v)) return;
                taken = a;
                from = u;
            });
            trail_.emplace_back(from, taken);
            v = from;
        }
        for (std::size_t i = static_cast<std::size_t>(seen_[v]); i < trail_.size(); ++i) {
            at_.found.policy[trail_[i].first] = trail_[i].second;
            assigned_[trail_[i].first] = 1;
        }
    }

    // Vertices off these cycles go to one of their own gain.
    void lead_to_cycles(const Monitor& monitor) {
        for (bool more = true, changed = true; more;) {
            monitor();
            more = changed = false;
            for (std::int32_t v = 0; v < arcs_.vertices; ++v) {
                for (std::int64_t a = arcs_.first(v); !assigned_[v] && a < arcs_.first(v + 1);
                     ++a) {
                    const std::int32_t t = arcs_.to[a];
                    if (!assigned_[t] || best_[part_[t]].gain < best_[part_[v]].gain) continue;
                    at_.found.policy[v] = a;
                    assigned_[v] = 1;
                    changed = true;
                }
                more = more || !assigned_[v];
            }
            if (more && !changed) throw std::logic_error("a vertex leads to no cycle of its gain");
        }
    }

    // h(v) <- max(0, w - g + h(to)) over the arcs that keep the gain; the last sweep changes
    // nothing unless rounding does.
    void relax(const Monitor& monitor) {
        std::fill(at_.found.potential.begin(), at_.found.potential.end(), Int128{0});
        bool changed = true;
        while (changed) {
            monitor();
            changed = false;
            for (std::int32_t v = 0; v < arcs_.vertices; ++v)
                for (std::int64_t a = arcs_.first(v); a < arcs_.first(v + 1); ++a) {
                    const std::int32_t t = arcs_.to[a];
                    if (at_.level[t] != at_.level[v]) continue;
                    const Int128 ahead =
                        at_.level_gain[at_.level[v]].step(arcs_.weight[a], at_.found.potential[t]);
                    if (!(at_.found.potential[v] < ahead)) continue;
                    at_.found.potential[v] = ahead;
                    changed = true;
                }
            ++at_.found.iterations;
        }
    }

    const Arcs<std::int64_t>& arcs_;
    const std::vector<std::int64_t>& part_;
    PolicyCycles at_;
    std::vector<std::int64_t> start_;   // of each part in member_
    std::vector<std::int32_t> member_;  // vertices by part
    std::vector<std::int32_t> place_;   // of each vertex in its part
    std::vector<std::uint8_t> assigned_;
    std::vector<std::int32_t> seen_;
    std::vector<Best> best_;  // of each part
    std::vector<Int128> walks_;
    std::vector<std::pair<std::int32_t, std::int64_t>> trail_;
};

}  // namespace

MeanCycles karp_cycles(const Arcs<std::int64_t>& arcs, const std::vector<std::int64_t>& part,
                       const Monitor& monitor) {
    return Karp(arcs, part).run(monitor);
}

}  // namespace rlt
