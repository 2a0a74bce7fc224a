"""Returns of every episode of a small exact model, under its rewards and under others."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rltheory.demonstrations.exact_episodes import Episodes
from rltheory.foundations.rationals import stages_of
from rltheory.mdp.episodic import EpisodicMDP

__all__ = ["everything", "paying", "returns_along"]


def paying(mdp: EpisodicMDP, rewards: Any) -> EpisodicMDP:
    """The same moves with other rewards (H, S, A)."""
    stages = stages_of(mdp)
    ends = [[[stage.exit(s, a) for a in stage.actions] for s in stage.states] for stage in stages]
    return EpisodicMDP(
        [stage.P for stage in stages], rewards, len(stages), termination=ends, exact=True
    )


def returns_along(
    start: Sequence[Fraction], models: Sequence[EpisodicMDP], *policies: Any
) -> tuple[list[list[Fraction]], list[list[Fraction]]]:
    """Of all episodes with a chance under a policy: returns in each model, chances by each policy.

    The models have the same moves, so that their episodes come in the same order.
    """
    told = [list(Episodes(mdp, start).laws(*policies)) for mdp in models]
    returns = [[paid for _, paid in one] for one in told]
    chances = [[here[k] for here, _ in told[0]] for k in range(len(policies))]
    return returns, chances


def everything(mdp: EpisodicMDP) -> list[list[list[Fraction]]]:
    """The uniform policy (H, S, A), under which all that can happen does."""
    share = Fraction(1, mdp.n_actions)
    return [[[share] * mdp.n_actions] * mdp.n_states] * mdp.horizon
