// Tabular learners behind one face, whichever backup they have.
#pragma once

#include <variant>

#include "learning/bernstein.hpp"
#include "learning/episodes.hpp"
#include "learning/hoeffding.hpp"

namespace rlt {

using TabularLearner = std::variant<Planner<HoeffdingBackup>, Planner<BernsteinBackup>>;

TabularLearner tabular_learner(std::int64_t horizon, std::int64_t states, std::int64_t actions,
                               SharedBonus bonus, Replanning replanning, Induction induction);

// `play` with this learner.
std::int64_t play_tabular(const World& world, TabularLearner& learner, const Words& words,
                          std::int64_t episodes, PlayedPolicies& played, double* returns,
                          const Trace& trace, const Monitor& monitor);

// rho V_0 of policies of actions that are given by their changes, each evaluated once; only stages
// up to the last change are swept again. Throws where a change, or an action, is none of the model.
void start_values(const ModelView& m, std::int64_t horizon, const double* initial,
                  std::int64_t policies, const std::int64_t* offsets, const std::uint32_t* places,
                  const std::uint16_t* actions, double* out, const Monitor& monitor);

}  // namespace rlt
