r"""What the guarantee of interleaved schedules needs of an arm: an order, and monotone maps.

Deterministic arms on ordered states, whose maps of plays and rests and whose payoffs are
nondecreasing, with rest(s) >= play(s), started in their top states: real states stay above virtual
ones, V_T(s) is nondecreasing in s, and E[reward_t] >= A(x) >= c LP >= c g* in every round. Only the
bound by V_T needs more: that rests lead to the top. Proof: docs/theory/lsd_rounding.md.
"""

from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.lsd_bandits.arms import LSDArm, OrderedArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.expected_average import expected_average, expected_rewards
from rltheory.lsd_bandits.families import named, rand_ordered
from rltheory.lsd_bandits.optimal import optimal_gain, optimal_value
from rltheory.lsd_bandits.rounding_instances import solution_of
from rltheory.lsd_bandits.virtual_value import guarantee, virtual_value

__all__ = ["CLAIMS"]


def _general_order(
    i: Instance, recovery: int | None = None, only_rounds: bool = False
) -> list[Measurement]:
    relax = solution_of(i)
    bandit, rounds = relax.bandit, 20
    n, k = bandit.n_arms, bandit.plays
    c, floor = guarantee(n, k), virtual_value(relax)
    found = [Measurement(floor, c * relax.value, trivial=0, what="A(x), c LP")]
    for select in ("virtual", "real"):
        curve = expected_rewards(relax, rounds, select)
        found.append(
            Measurement(min(curve), c * relax.value, trivial=0, what=f"worst round, c LP, {select}")
        )
        if only_rounds:
            continue
        found.append(Measurement(min(curve), floor, trivial=0, what=f"worst round, A(x), {select}"))
        average = expected_average(relax, select)
        found.append(Measurement(average.value, floor, trivial=0, what=f"average, {select}"))
    if only_rounds:
        return found
    gain = optimal_gain(bandit, exact=True).gain
    found.append(Measurement(relax.value, gain, trivial=0, what="LP, g* from the top"))
    tables = optimal_value(bandit, 6, exact=True, tables=True)
    found += _value_monotone(bandit, tables)
    recovery = bandit.recovery_time if recovery is None else recovery
    if recovery is not None:
        total = Fraction(0)
        for t, reward in enumerate(expected_rewards(relax, 6), start=1):
            total += reward
            bound = c * Fraction(t, t + recovery) * tables[t][bandit.rested]
            found.append(Measurement(total, bound, trivial=0, what=f"E Rew_{t}, c T/(T+R) V_T"))
    return found


def _value_monotone(bandit: LSDBandit, tables: Any) -> list[Measurement]:
    """The least rise of V_T in one coordinate."""
    strides, stride = [], 1
    for arm in reversed(bandit.arms):
        strides.append((stride, arm.n_states))
        stride *= arm.n_states
    rises = [
        row[v + step] - row[v]
        for row in tables
        for step, size in strides
        for v in range(bandit.n_states)
        if v // step % size < size - 1
    ]
    return [Measurement(min(rises, default=Fraction(0)), Fraction(0), what="least rise of V_T")]


def _stuck() -> LSDBandit:
    """Plays lead to a state that pays nothing and that no rest leaves."""
    return LSDBandit([OrderedArm([0, 0], [0, 1], [0, 1])])


def _slow() -> LSDBandit:
    """Two rests for one step up, after a play one down: five states, and a gradual LSD arm."""
    slow = OrderedArm([0, 0, 1, 2, 3], [1, 2, 3, 4, 4], [0, 0, "1/2", "1/2", 1])
    return LSDBandit([slow, LSDArm(["1/2", 1], ["1/2", "1/4"], "gradual")])


@claim(
    "lsd-general-order",
    "lower-bound",
    title="The guarantee holds for any arms with ordered states and monotone maps",
    statement=r"""Deterministic arms on finite, totally ordered state sets, with nondecreasing maps
of plays and of rests, $\mathrm{rest}(s)\ge\mathrm{play}(s)$, nondecreasing payoffs, all arms in
their top state at the start; plans are the simple cycles of an arm. Then real states stay above
virtual ones, $V_T(s)$ is nondecreasing in $s$, and in every round
$E[\mathrm{reward}_t]\ge A(x)\ge c_{N,k}\,\mathrm{LP}\ge c_{N,k}\,g^*$ with $g^*$ from the top. If
$R$ rests lead from every state to the top, also
$E[\mathrm{Rew}_T]\ge c_{N,k}\frac T{T+R}V_T$.""",
    family=rand_ordered(),
    named={
        **named({"stuck below": _stuck, "slow recovery": _slow}),
        **named({"gradual": lambda: LSDBandit([LSDArm(["1/2", 1], ["1/2", 0], "gradual")] * 2)}),
    },
    mutants=[
        Mutant(
            "unsorted",
            "maps and payoffs in any order",
            check=partial(_general_order, only_rounds=True),
            family=rand_ordered(monotone=False),
            named={},
        ),
        Mutant(
            "no-recovery",
            "the bound by V_T where no rest leads to the top",
            check=partial(_general_order, recovery=1),
            named=named({"stuck below": _stuck}),
        ),
    ],
    bound=guarantee,
    proof="text",
)
def general_order(instance: Instance) -> list[Measurement]:
    return _general_order(instance)


CLAIMS = (general_order,)
