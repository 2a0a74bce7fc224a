#include "learning/tabular.hpp"

namespace rlt {

TabularLearner tabular_learner(std::int64_t horizon, std::int64_t states, std::int64_t actions,
                               SharedBonus bonus, Replanning replanning, Induction induction) {
    Counts counts(horizon, states, actions);
    if (bonus->root.empty()) {
        HoeffdingBackup backup(counts, std::move(bonus));
        return Planner<HoeffdingBackup>(std::move(counts), std::move(backup), replanning,
                                        induction);
    }
    BernsteinBackup backup(counts, std::move(bonus));
    return Planner<BernsteinBackup>(std::move(counts), std::move(backup), replanning, induction);
}

std::int64_t play_tabular(const World& world, TabularLearner& learner, const Words& words,
                          std::int64_t episodes, PlayedPolicies& played, double* returns,
                          const Trace& trace, const Monitor& monitor) {
    return std::visit(
        [&](auto& planner) {
            for (std::int64_t h = 0; h < world.horizon; ++h)
                for (std::int64_t s = 0; s < world.model.n_states; ++s)
                    for (std::int64_t a = 0; a < world.model.n_actions; ++a)
                        if (world.table.row(h, s, a) < 0) planner.forbid(h, s, a);
            return play(world, planner, words, episodes, played, returns, trace, monitor);
        },
        learner);
}

void start_values(const ModelView& m, std::int64_t horizon, const double* initial,
                  std::int64_t policies, const std::int64_t* offsets, const std::uint32_t* places,
                  const std::uint16_t* actions, double* out, const Monitor& monitor) {
    const RowTable table(m);
    const std::int64_t S = m.n_states;
    const auto fault = [&](std::int64_t i, std::int64_t h, std::int64_t s, const char* what) {
        throw std::invalid_argument("policy " + std::to_string(i) + ", stage " + std::to_string(h) +
                                    ", state " + std::to_string(s) + ": " + what);
    };
    std::vector<std::int64_t> row(static_cast<std::size_t>(horizon * S));
    std::vector<double> value(static_cast<std::size_t>((horizon + 1) * S), 0.0);
    for (std::int64_t h = 0; h < horizon; ++h)
        for (std::int64_t s = 0; s < S; ++s)
            row[static_cast<std::size_t>(h * S + s)] = table.row(h, s, 0);
    with_rows(m, [&](const auto& rows) {
        std::int64_t last = horizon - 1;  // of the stages that have to be swept
        for (std::int64_t i = 0; i < policies; ++i) {
            for (std::int64_t j = offsets[i]; j < offsets[i + 1]; ++j) {
                const std::int64_t h = places[j] / S, s = places[j] % S;
                if (h >= horizon || actions[j] >= m.n_actions)
                    fault(i, h, s, "there is no such stage or action");
                row[places[j]] = table.row(h, s, actions[j]);
                last = std::max(last, h);
            }
            for (; last >= 0; --last) {
                const std::int64_t* chosen = row.data() + last * S;
                const double* later = value.data() + (last + 1) * S;
                for (std::int64_t s = 0; s < S; ++s) {
                    if (chosen[s] < 0) fault(i, last, s, "the state does not have that action");
                    value[static_cast<std::size_t>(last * S + s)] =
                        backup(m, rows, chosen[s], 1.0, later);
                }
            }
            double sum = 0.0;
            for (std::int64_t s = 0; s < S; ++s)
                sum += initial[s] * value[static_cast<std::size_t>(s)];
            out[i] = sum;
            if (i % 64 == 0) monitor();
        }
    });
}

}  // namespace rlt
