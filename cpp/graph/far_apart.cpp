#include "graph/far_apart.hpp"

#include "support/room.hpp"

namespace rlt {

bool far_apart(const ModelView& m, std::int64_t steps, std::int64_t most) {
    if (most < 1) return false;
    Room<std::uint8_t> seen(static_cast<std::size_t>(m.n_states), 0);
    Room<std::int32_t> found(1, 0);
    seen[0] = 1;
    return with_rows(m, [&](const auto& rows) {
        std::size_t next = 0;
        for (std::int64_t step = 0; step <= steps; ++step) {
            const std::size_t reached = found.size();
            if (next == reached || static_cast<std::int64_t>(reached) > most) return false;
            for (; next < reached; ++next)
                for (std::int64_t r = m.row_begin(0, found[next]); r < m.row_end(0, found[next]);
                     ++r)
                    rows.each(r, [&](std::int32_t j, double) {
                        if (seen[static_cast<std::size_t>(j)]) return;
                        seen[static_cast<std::size_t>(j)] = 1;
                        found.push_back(j);
                    });
        }
        return next < found.size();
    });
}

}  // namespace rlt
