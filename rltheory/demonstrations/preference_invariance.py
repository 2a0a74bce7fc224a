r"""What preferences and regularised plans cannot tell apart: rewards that differ by shifts.

The problem: an episodic model without exits, rewards r_h(s, a), stages h = 0..H-1, and

    r_h + c_h                       a number a stage                 (stage shift)
    r_h + P_h Phi_{h+1} - Phi_h     Phi_0 = Phi_H = 0                (expected shaping)

The first leaves differences of returns, hence all preferences and likelihoods, and the regularised
optimal policy as they are. The second leaves the policy; the differences of returns of episodes
that can happen stay exactly if Phi_{h+1} is constant on the successors of every row that can be
reached, as in deterministic models. Proof: docs/theory/preferences.md.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Many
from rltheory.demonstrations.exact_episodes import Episodes, compare, real
from rltheory.demonstrations.returns_along import everything, paying, returns_along
from rltheory.foundations.families import MOST_ACTIONS, MOST_STATES, episodic_family, law_of_weights
from rltheory.foundations.rationals import Planner, span, stages_of
from rltheory.mdp.episodic import EpisodicMDP

__all__ = ["CLAIMS"]

_STAGES = 3
_ENTRIES = _STAGES * MOST_STATES * MOST_ACTIONS


def _shifted(stages: list[Planner], shift: list[Fraction]) -> Any:
    return [[[x + shift[h] for x in row] for row in stage.r] for h, stage in enumerate(stages)]


def _shaped(stages: list[Planner], potential: Any) -> Any:
    return [
        [
            [
                stage.r[s][a]
                + sum(
                    (p * v for p, v in zip(stage.P[s][a], potential[h + 1], strict=True)),
                    Fraction(0),
                )
                - potential[h][s]
                for a in stage.actions
            ]
            for s in stage.states
        ]
        for h, stage in enumerate(stages)
    ]


def _constant_where_it_matters(i: Any, stages: list[Planner], potential: Any) -> bool:
    """Whether the potential is one number on the successors of every row that is reached."""
    reached = {s for s, p in enumerate(i.start) if p}
    for h, stage in enumerate(stages[:-1]):
        then = set()
        for s in reached:
            for row in stage.P[s]:
                support = {t for t, p in enumerate(row) if p}
                if len({potential[h + 1][t] for t in support}) > 1:
                    return False
                then |= support
        reached = then
    return True


def _flat(table: Any) -> list[Any]:
    return [x for stage in table for row in stage for x in row]


def _policy_change(i: Any, rewards: Any) -> Measurement:
    """How much the regularised optimal policy changes with these rewards."""
    tau = real(i.temperature)
    before, after = (
        _flat(Episodes(mdp, i.start).soft_optimum(i.reference, tau)[2])
        for mdp in (i.mdp, paying(i.mdp, rewards))
    )
    most = max(abs(x - y) for x, y in zip(before, after, strict=True))
    return compare(most, 0, "policy", certified=True)


def _differences(i: Any, rewards: Any) -> Fraction:
    """How much differences of returns change, at most, over pairs of episodes that can happen."""
    models = (i.mdp, paying(i.mdp, rewards))
    (before, after), _ = returns_along(i.start, models, everything(i.mdp))
    return span([y - x for x, y in zip(before, after, strict=True)])


def _invariance(i: Any) -> list[Measurement]:
    stages = stages_of(i.mdp)
    shifted, shaped = _shifted(stages, i.shift), _shaped(stages, i.potential)
    kept = _differences(i, shaped) == 0
    return [
        Measurement(_differences(i, shifted), 0, what="preferences, stage shift"),
        _policy_change(i, shifted),
        _policy_change(i, shaped),
        Measurement(
            int(kept),
            int(_constant_where_it_matters(i, stages, i.potential)),
            what="preferences kept under expected shaping",
        ),
    ]


def _entrywise(i: Any) -> Measurement:
    stages = stages_of(i.mdp)
    shifted = _shifted(stages, i.shift)
    pairs = zip(_flat(shifted), _flat([stage.r for stage in stages]), strict=True)
    return Measurement(max(abs(x - y) for x, y in pairs), 0, what="entries")


def _always(i: Any) -> Measurement:
    stages = stages_of(i.mdp)
    shaped = _shaped(stages, i.potential)
    return Measurement(_differences(i, shaped), 0, what="preferences, expected shaping")


def _loose_end(i: Any) -> Measurement:
    """Phi_H that is not 0."""
    stages = stages_of(i.mdp)
    free = [*i.potential[:-1], i.ending]
    return _policy_change(i, _shaped(stages, free))


def _may_end(i: Any) -> Measurement:
    stages = stages_of(i.mdp)
    return Measurement(
        _differences(i, _shifted(stages, i.shift)), 0, what="preferences, stage shift"
    )


# --- instances ----------------------------------------------------------------------------


def _family() -> Family:
    models = episodic_family(_STAGES, exits=False)

    def build(
        temperature: str, laws: list[int], shift: list[float], ending: list[float], **rest: Any
    ) -> Instance:
        built = models.instance(rest)
        H, S, A = built.mdp.horizon, built.mdp.n_states, built.mdp.n_actions
        zero = [Fraction(0)] * S
        return Instance(
            mdp=built.mdp,
            start=built.start,
            temperature=Fraction(temperature),
            reference=policy_of(laws, H, S, A),
            shift=[Fraction(x) for x in shift[:H]],
            potential=[zero, *built.value[1:H], zero],
            ending=[Fraction(x) for x in ending[:S]],
        )

    space = dict(models.space) | {
        "temperature": Choice("1/1000000", "1/8", "1", "1000000"),
        "laws": Many(Choice(0, 1, 1, 2, 5), _ENTRIES),
        "shift": Many(Dyadic(-2, 2, 2), _STAGES),
        "ending": Many(Dyadic(-2, 2, 2), MOST_STATES),
    }
    return Family(space, build)


def policy_of(weights: list[int], H: int, S: int, A: int) -> list[list[list[Fraction]]]:
    """A policy (H, S, A) of small integers; the place of (h, s, a) does not depend on the sizes."""

    def row(h: int, s: int) -> list[Fraction]:
        first = (h * MOST_STATES + s) * MOST_ACTIONS
        return law_of_weights(weights[first : first + A])

    return [[row(h, s) for s in range(S)] for h in range(H)]


def _two_stages(chance: str, exits: bool = False) -> Callable[[], Instance]:
    """State 0 leads to states 0 and 1; a potential of 1 at state 1."""

    def make() -> Instance:
        p = Fraction(chance)
        leave = [[1 - p, p], [Fraction(1, 2), 0] if exits else [1, 0]]
        stay = [[0, 1], [0, 1]]
        ends = [[[0, Fraction(1, 2)], [0, 0]]] * 2 if exits else None
        zero = [Fraction(0)] * 2
        half = Fraction(1, 2)
        return Instance(
            mdp=EpisodicMDP(
                [[leave, stay]] * 2, [[[0, half], [1, 0]]] * 2, 2, termination=ends, exact=True
            ),
            start=[Fraction(1), Fraction(0)],
            temperature=Fraction(1),
            reference=[[[half, half]] * 2] * 2,
            shift=[Fraction(1), Fraction(-2)],
            potential=[zero, [Fraction(0), Fraction(1)], zero],
            ending=[Fraction(0), Fraction(1)],
        )

    return make


@claim(
    "demo-bt-invariance",
    "identity",
    title="Preferences and regularised plans know rewards only up to shifts",
    statement=r"""Horizon $H$, no exits, any reference and temperature. Under
$r_h\mapsto r_h+c_h$ the differences $r(\tau^1)-r(\tau^0)$, hence preference laws and likelihoods,
and $\pi^*_\lambda$ are unchanged. Under expected shaping
$r_h\mapsto r_h+p_h\Phi_{h+1}-\Phi_h$ with $\Phi_1=\Phi_{H+1}=0$, $\pi^*_\lambda$ is unchanged,
and the differences along episodes that can happen are unchanged **if and only if** $\Phi_{h+1}$ is
constant on the successors of every row that can be reached: always in deterministic models, in
which this is the shaping by $\Phi_{h+1}(s_{h+1})-\Phi_h(s_h)$.""",
    source="this project; potential shaping: Ng, Harada and Russell, ICML 1999",
    provenance=("derived", "derived"),
    family=_family(),
    named={
        "a coin": _two_stages("1/2"),
        "certain": _two_stages("1"),
    },
    mutants=[
        Mutant("entrywise", "the rewards themselves are the same", check=_entrywise),
        Mutant("always", "preferences survive expected shaping in every model", check=_always),
        Mutant("loose-end", "a potential after the last stage", check=_loose_end),
        Mutant(
            "exits",
            "stage shifts where episodes may end early",
            check=_may_end,
            named={"may end": _two_stages("1/2", exits=True)},
        ),
    ],
    proof="text",
)
def bt_invariance(instance: Any) -> list[Measurement]:
    return _invariance(instance)


CLAIMS = (bt_invariance,)
