"""One model under another criterion: a discount, or a horizon, in place of what it has."""

from fractions import Fraction

from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP

__all__ = ["with_criterion"]


def with_criterion(
    mdp: MDP | EpisodicMDP, discount: float | Fraction | None, horizon: int | None
) -> MDP | EpisodicMDP:
    """The model under another discount, or made episodic; unchanged when both are None.

    Raises
    ------
    ModelError
        If both are given, or the model is episodic and has no discount or another horizon.
    """
    if discount is not None and horizon is not None:
        raise ModelError(
            f"discount {discount} and horizon {horizon} are both given; a model has one of them"
        )
    if isinstance(mdp, EpisodicMDP):
        if discount is not None:
            raise ModelError(
                f"the model is episodic with horizon {mdp.horizon}; a discount does not apply"
            )
        if horizon is not None and horizon != mdp.horizon:
            raise ModelError(f"the model has horizon {mdp.horizon}, not {horizon}")
        return mdp
    if discount is not None:
        return mdp.with_discount(discount)
    return mdp if horizon is None else mdp.episodic(horizon)
