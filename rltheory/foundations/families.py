"""Random instances of the planning claims: small exact models with corners in them.

Rows are certain, concentrated, or spread, with small integer weights; rewards sit at the ends of
[0, 1] a quarter of the time; one row or state may repeat another; values to look at are dyadic.
Plain random arrays would reach a third of a tight bound.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP

__all__ = [
    "case",
    "episodic_family",
    "law_of_weights",
    "model_space",
    "part_of",
    "planning_family",
    "read_model",
    "rows_of_weights",
    "side_by_side",
]

MOST_STATES = 4
MOST_ACTIONS = 3
DISCOUNTS = ("0", "3/10", "7/10", "9/10", "97/100")
_WIDTH = MOST_STATES + 1  # successors, and the exit
_PAIRS = MOST_STATES * MOST_ACTIONS


def model_space(stages: int = 1, exits: bool = True) -> dict[str, Any]:
    """The parameters of a model that `read_model` builds."""
    return {
        "states": Integer(1, MOST_STATES),
        "actions": Integer(1, MOST_ACTIONS),
        "exits": Choice(False, True) if exits else Choice(False),
        "certain": Many(Choice(False, False, True), _PAIRS * stages),
        "weights": Many(Choice(0, 0, 0, 1, 1, 2, 5, 40), _PAIRS * stages * _WIDTH),
        "rewards": Many(Dyadic(0, 1, 3), _PAIRS * stages),
        "repeat": Choice("nothing", "nothing", "row", "state"),
    }


def rows_of_weights(
    states: int, pairs: int, exits: bool, certain: Sequence[bool], weights: Sequence[int]
) -> tuple[list[list[Fraction]], list[Fraction]]:
    """Rows of probabilities, and exits, proportional to small integers."""
    size = states + 1 if exits else states
    rows, ends = [], []
    for pair in range(pairs):
        w = list(weights[pair * _WIDTH : pair * _WIDTH + size])
        if certain[pair] or not sum(w):
            w = [int(i == sum(w) % size) for i in range(size)]
        row = [Fraction(x, sum(w)) for x in w]
        rows.append(row[:states])
        ends.append(row[states] if exits else Fraction(0))
    return rows, ends


def read_model(
    states: int,
    actions: int,
    exits: bool,
    certain: Sequence[bool],
    weights: Sequence[int],
    rewards: Sequence[float],
    repeat: str,
    discount: Fraction | None,
    horizon: int | None = None,
    initial: Sequence[float] | None = None,
) -> Any:
    """The exact model of these parameters: an `MDP`, or an `EpisodicMDP` whose stages differ."""
    stages = horizon or 1
    pairs = states * actions
    rows, ends = rows_of_weights(states, pairs * stages, exits, certain, weights)
    paid = [Fraction(x) for x in rewards[: pairs * stages]]
    if repeat == "row" and actions > 1:
        rows[1], ends[1], paid[1] = rows[0], ends[0], paid[0]
    if repeat == "state" and states > 1:
        for a in range(actions):
            twin = actions + a
            rows[twin], ends[twin], paid[twin] = rows[a], ends[a], paid[a]

    def table(flat: list[Any]) -> list[Any]:
        grouped = [flat[i * actions : (i + 1) * actions] for i in range(len(flat) // actions)]
        if horizon is None:
            return grouped
        return [grouped[h * states : (h + 1) * states] for h in range(stages)]

    termination = table(ends) if any(ends) else None
    if horizon is None:
        return MDP(table(rows), table(paid), discount, initial, termination=termination, exact=True)
    return EpisodicMDP(
        table(rows), table(paid), horizon, initial, termination=termination, exact=True
    )


def planning_family(exits: bool = True, discounts: Sequence[str] = DISCOUNTS) -> Family:
    """Discounted models with two values and a policy to look at.

    Instances have `mdp` (exact), `value` and `other` (lists of Fraction, shape (S,)), `policy`
    (list of int), and `start` (list of Fraction, a law on the states, also the model's).
    """

    def build(
        discount: str,
        value: list[float],
        other: list[float],
        policy: list[int],
        start: list[int],
        **model: Any,
    ) -> Instance:
        S, A = model["states"], model["actions"]
        shares = [x + 1 if sum(start[:S]) == 0 else x for x in start[:S]]
        law = [Fraction(x, sum(shares)) for x in shares]
        mdp = read_model(**model, discount=Fraction(discount), initial=[float(x) for x in law])
        return Instance(
            mdp=mdp,
            value=[Fraction(x) for x in value[:S]],
            other=[Fraction(x) for x in other[:S]],
            policy=[x % A for x in policy[:S]],
            start=law,
        )

    space = model_space(exits=exits) | {
        "discount": Choice(*discounts),
        "value": Many(Dyadic(-3, 3, 3), MOST_STATES),
        "other": Many(Dyadic(-3, 3, 3), MOST_STATES),
        "policy": Many(Integer(0, MOST_ACTIONS - 1), MOST_STATES),
        "start": Many(Choice(0, 1, 1, 3), MOST_STATES),
    }
    return Family(space, build)


def case(
    mdp: MDP,
    value: Sequence[Any] | None = None,
    other: Sequence[Any] | None = None,
    policy: Sequence[int] | None = None,
    start: Sequence[Any] | None = None,
) -> Instance:
    """An instance as `planning_family` builds them, around a given exact model.

    What is left out: both values 0, the first action everywhere, the uniform start law.
    """
    S = mdp.n_states
    return Instance(
        mdp=mdp,
        value=[Fraction(x) for x in value or [0] * S],
        other=[Fraction(x) for x in other or [0] * S],
        policy=list(policy or [0] * S),
        start=[Fraction(x) for x in start or [Fraction(1, S)] * S],
    )


def episodic_family(most_stages: int = 4, exits: bool = True) -> Family:
    """Episodic models whose stages differ, with values and two policies to look at.

    Instances have `mdp` (exact), `value` (H+1 lists of Fraction, the last one 0), `policy` and
    `other_policy` (H lists of int), and `start` (list of Fraction).
    """

    def build(
        horizon: int,
        value: list[float],
        policy: list[int],
        other_policy: list[int],
        start: list[int],
        **model: Any,
    ) -> Instance:
        S, A = model["states"], model["actions"]
        shares = [x + 1 if sum(start[:S]) == 0 else x for x in start[:S]]
        law = [Fraction(x, sum(shares)) for x in shares]
        mdp = read_model(**model, discount=None, horizon=horizon, initial=[float(x) for x in law])

        def by_stage(flat: list[Any]) -> list[Any]:
            return [flat[h * MOST_STATES : h * MOST_STATES + S] for h in range(horizon)]

        values = [[Fraction(x) for x in stage] for stage in by_stage(value)]
        return Instance(
            mdp=mdp,
            value=[*values, [Fraction(0)] * S],
            policy=[[x % A for x in stage] for stage in by_stage(policy)],
            other_policy=[[x % A for x in stage] for stage in by_stage(other_policy)],
            start=law,
        )

    entries = most_stages * MOST_STATES
    space = model_space(most_stages, exits) | {
        "horizon": Integer(1, most_stages),
        "value": Many(Dyadic(-3, 3, 3), entries),
        "policy": Many(Integer(0, MOST_ACTIONS - 1), entries),
        "other_policy": Many(Integer(0, MOST_ACTIONS - 1), entries),
        "start": Many(Choice(0, 1, 1, 3), MOST_STATES),
    }
    return Family(space, build)


def law_of_weights(weights: Sequence[int]) -> list[Fraction]:
    """Probabilities proportional to small integers; uniform where all of these are 0."""
    shares = list(weights) if any(weights) else [1] * len(weights)
    return [Fraction(x, sum(shares)) for x in shares]


def side_by_side(**families: Family) -> Family:
    """One instance of each family in one; the part `mdp` of family `a` is named `a_mdp`."""
    space = {
        f"{name}_{key}": each
        for name, family in families.items()
        for key, each in family.space.items()
    }

    def build(**parameters: Any) -> Instance:
        parts: dict[str, Any] = {}
        for name, family in families.items():
            own = {key: parameters[f"{name}_{key}"] for key in family.space}
            built = family.instance(own)
            parts |= {f"{name}_{key}": built[key] for key in built}
        return Instance(**parts)

    return Family(space, build)


def part_of(instance: Instance, name: str) -> Instance | None:
    """The instance of one family in what `side_by_side` built; None where there is none."""
    start = f"{name}_"
    parts = {key.removeprefix(start): instance[key] for key in instance if key.startswith(start)}
    return Instance(**parts) if parts else None
