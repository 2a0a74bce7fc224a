r"""Claims about the optimal values V_T of T rounds.

    T g* <= V_T <= (T + R) g*,  V_{S+T} <= V_S + V_T                        lsd-horizon-sandwich
    V_T(s) is nondecreasing in the state of every arm                       lsd-value-monotone

Everything is in fractions. Proofs: docs/theory/lsd_planning.md.
"""

from fractions import Fraction
from functools import partial

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.foundations.families import part_of, side_by_side
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.families import (
    CORNERS,
    GOLDEN,
    bandit_of,
    named,
    rand_any,
    rand_mono,
    tight,
)
from rltheory.lsd_bandits.optimal import optimal_gain, optimal_value

__all__ = ["CLAIMS", "horizon_bounds"]

HORIZON = 12


def horizon_bounds(T: int, R: int, gain: Fraction) -> tuple[Fraction, Fraction]:
    """Bounds of V_T, by the optimal gain and the rounds R in which all arms recover.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from rltheory.lsd_bandits.horizon_claims import horizon_bounds
    >>> horizon_bounds(8, 2, Fraction(3, 4))
    (Fraction(6, 1), Fraction(15, 2))
    """
    return T * gain, (T + R) * gain


def momentum(L: int) -> LSDBandit:
    """p(-m) = 1{m = L-1}, R = M = L: pays 1 at its L-th play in a row, and nothing else."""
    return LSDBandit([LSDArm([0] * L, [int(m == L - 1) for m in range(1, L + 1)])])


def gradual() -> LSDBandit:
    return LSDBandit([LSDArm([1], [1, 1, "1/2"], "gradual"), LSDArm(["1/2", 1], [0], "gradual")])


# --- lsd-horizon-sandwich -----------------------------------------------------------------


def _sandwich(i: Instance, slack: int | None = None, any_order: bool = False) -> list[Measurement]:
    parts = [part for name in ("monotone", "any") if (part := part_of(i, name)) is not None]
    found = []
    for part in parts or [i]:
        bandit = bandit_of(part)
        R = bandit.recovery_time
        assert R is not None
        gain = optimal_gain(bandit, exact=True).gain
        value = optimal_value(bandit, HORIZON, exact=True)
        ordered = any_order or bandit.is_monotone()
        for T in range(HORIZON + 1):
            least, most = horizon_bounds(T, R if slack is None else slack, gain)
            # No round pays more than k.
            trivial = T * bandit.plays if T else None
            found.append(Measurement(value[T], most, trivial, what=f"V_{T} <= (T + R) g*"))
            if ordered:
                found.append(Measurement(least, value[T], what=f"T g* <= V_{T}"))
                for S in range(1, HORIZON + 1 - T):
                    both = value[S] + value[T]
                    found.append(
                        Measurement(value[S + T], both, what=f"V_{S + T} <= V_{S} + V_{T}")
                    )
    return found


@claim(
    "lsd-horizon-sandwich",
    "inequality",
    title="The optimal values grow by the optimal gain, and their start is worth at most R rounds",
    statement=r"""Start rested; $R$ rests lead from every joint state to it. For all $T\ge0$
$$V_T\le(T+R)g^*$$
whatever the payoffs, and under (M), with either recovery,
$$Tg^*\le V_T,\qquad V_{S+T}\le V_S+V_T,$$
so that $g^*=\inf_TV_T/T$.""",
    source="this project",
    provenance=("derived", "derived"),
    family=side_by_side(
        monotone=rand_mono(recovery=("reset", "gradual")),
        any=rand_any(recovery=("reset", "gradual")),
    ),
    named={
        **named({**GOLDEN, **CORNERS}),
        **named({"gradual": gradual, "three equal blocking arms": lambda: tight(3)}),
        **named({"momentum": lambda: momentum(2)}),
    },
    mutants=[
        Mutant("no-slack", "V_T <= T g*", check=partial(_sandwich, slack=0)),
        Mutant(
            "unordered",
            "T g* <= V_T without (M)",
            check=partial(_sandwich, any_order=True),
            named=named({"momentum": lambda: momentum(2)}),
        ),
    ],
    bound=horizon_bounds,
    proof="text",
)
def horizon_sandwich(instance: Instance) -> list[Measurement]:
    return _sandwich(instance)


# --- lsd-value-monotone -------------------------------------------------------------------


def _value_monotone(i: Instance) -> list[Measurement]:
    bandit = bandit_of(i)
    tables = optimal_value(bandit, HORIZON, exact=True, tables=True)
    strides = [1] * bandit.n_arms
    for j in range(bandit.n_arms - 1, 0, -1):
        strides[j - 1] = strides[j] * bandit.arms[j].n_states
    found = []
    for j, (arm, stride) in enumerate(zip(bandit.arms, strides, strict=True)):
        below = [v for v in range(bandit.n_states) if v // stride % arm.n_states < arm.top]
        for T, value in enumerate(tables):
            if below:
                v = min(below, key=lambda v: value[v + stride] - value[v])
                what = f"V_{T} up one state of arm {j}"
                found.append(Measurement(value[v], value[v + stride], what=what))
    return found


@claim(
    "lsd-value-monotone",
    "inequality",
    title="More rested arms are worth more",
    statement=r"""Under (M), with either recovery, $V_T(s)$ is nondecreasing in the state of every
arm, for every $T\ge0$.""",
    source="this project",
    provenance=("derived", "derived"),
    family=rand_mono(recovery=("reset", "gradual")),
    named={
        **named({**GOLDEN, **CORNERS}),
        **named({"gradual": gradual, "three equal blocking arms": lambda: tight(3)}),
    },
    mutants=[Mutant("unordered", "payoffs in any order", family=rand_any(), named={})],
    proof="text",
)
def value_monotone(instance: Instance) -> list[Measurement]:
    return _value_monotone(instance)


CLAIMS = (horizon_sandwich, value_monotone)
