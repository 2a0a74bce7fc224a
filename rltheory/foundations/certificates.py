"""Brackets of values that anyone can check.

The problem: which inequalities on numbers w, w' prove w <= V^pi <= V* <= w'? A row (s, a) stores
p(s') >= 0, an exit x and a reward r, of any sum sigma = sum p + x > 0, and means P = p / sigma. Its
scaled residual sigma (r - w(s)) + discount sum p w has the sign of T_a w - w and needs no division.

    w + min(0, min (T_pi w - w)) / (1 - discount) <= V^pi
    V* <= w' + max(0, max (T w' - w')) / (1 - discount)                         plan-certificate

and stage by stage with a horizon. Of models of doubles, what `solve` returns is held against exact
optima (`rltheory.foundations.solved`). The claims on total reward and on rounding are beside this
one, in `certificates_total` and `rounding`. Proofs: docs/theory/foundations.md and
docs/theory/certificates.md. Reference: Puterman, Markov Decision Processes, 1994, ch. 6.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many, Space
from rltheory.foundations import smt_losses
from rltheory.foundations.certificates_total import certificate_total
from rltheory.foundations.families import (
    MOST_ACTIONS,
    MOST_STATES,
    episodic_family,
    part_of,
    planning_family,
    side_by_side,
)
from rltheory.foundations.instances import absorbing, self_loop
from rltheory.foundations.rationals import (
    Planner,
    episodic_optimum,
    episodic_value,
    stages_of,
)
from rltheory.foundations.rounding import rounding
from rltheory.foundations.solved import solved
from rltheory.mdp.awkward import awkward
from rltheory.mdp.model import MDP

__all__ = ["CLAIMS"]

Value = list[Fraction]

_PAIRS = MOST_STATES * MOST_ACTIONS
_ZERO = Fraction(0)
_TINY = Fraction(1, 10**9)


def _above(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
    """By how much x exceeds y somewhere, or 0."""
    return max(_ZERO, *(a - b for a, b in zip(x, y, strict=True)))


def _range(planner: Planner) -> tuple[Fraction, Fraction]:
    """Of the rewards, taken to contain [0, 1]."""
    paid = [_ZERO, Fraction(1), *(x for row in planner.r for x in row)]
    return min(paid), max(paid)


# --- plan-certificate: instances ----------------------------------------------------------


def _with_sums() -> Family:
    """Discounted models whose rows are stored times `sums`, and `slack` >= 0 for each pair."""
    models = planning_family()

    def build(sums: list[str], slack: list[float], **rest: Any) -> Instance:
        built = models.instance(rest)
        parts = {key: built[key] for key in ("mdp", "value", "other", "policy")}
        return Instance(**parts, sums=[Fraction(x) for x in sums], slack=[*map(Fraction, slack)])

    more: dict[str, Space] = {
        "sums": Many(Choice("1", "1000000001/1000000000", "999999999/1000000000", "3"), _PAIRS),
        "slack": Many(Dyadic(0, 1, 2), _PAIRS),
    }
    return Family({**models.space, **more}, build)


def _staged() -> Family:
    """Models with a horizon and a witness that need not be 0 at the end."""
    models = episodic_family(3)

    def build(end: list[float], **rest: Any) -> Instance:
        built = models.instance(rest)
        last = [Fraction(x) for x in end[: built.mdp.n_states]]
        return Instance(mdp=built.mdp, policy=built.policy, value=[*built.value[:-1], last])

    end: Space = Many(Dyadic(-1, 1, 1), MOST_STATES)
    return Family({**models.space, "end": end}, build)


def _awkward(seed: int, horizon: int) -> Instance:
    return Instance(mdp=awkward(seed, horizon=horizon) if horizon else awkward(seed))


_BRACKETS = side_by_side(
    discounted=_with_sums(),
    horizon=_staged(),
    solved=Family({"seed": Integer(0, 2**31), "horizon": Choice(0, 0, 0, 1, 2, 5)}, _awkward),
)


def _discounted(
    mdp: MDP, value: Value, other: Value, total: Fraction = Fraction(1), policy: int = 0
) -> Instance:
    return Instance(
        discounted_mdp=mdp,
        discounted_value=value,
        discounted_other=other,
        discounted_policy=[policy] * mdp.n_states,
        discounted_sums=[total] * mdp.n_pairs,
        discounted_slack=[_ZERO] * mdp.n_pairs,
    )


def _constant_error() -> Instance:
    """V = 5 everywhere; witnesses that are off by 1 in every state."""
    mdp = absorbing(Fraction(1, 2), Fraction(1, 2), Fraction(9, 10))
    return _discounted(mdp, [Fraction(6)] * 2, [Fraction(4)] * 2)


def _not_divided() -> Instance:
    """V = 10^8; the row sums to 1 + 10^-9, as if V were 1.1 10^8."""
    mdp = self_loop(1, 1 - Fraction(1, 10**8))
    return _discounted(mdp, [Fraction(11 * 10**7)], [Fraction(11 * 10**7)], 1 + _TINY)


def _ends() -> Instance:
    """One state pays 1 and ends."""
    mdp = MDP([[[0]]], [[1]], Fraction(9, 10), termination=[[1]], exact=True)
    return _discounted(mdp, [_ZERO], [_ZERO])


def _better_row() -> Instance:
    """Loops that pay 1 and 0; the policy takes the second one."""
    mdp = MDP([[[1], [1]]], [[1, 0]], Fraction(9, 10), exact=True)
    return _discounted(mdp, [_ZERO], [_ZERO], policy=1)


def _gymnasium() -> dict[str, Callable[[], Instance]]:
    """Environments of gymnasium, as far as it, and what solves large ones exactly, is installed."""
    if find_spec("gymnasium") is None:
        return {}

    def read(name: str, discount: float) -> Callable[[], Instance]:
        return lambda: Instance(solved_mdp=MDP.from_gymnasium(name, discount))

    found = {
        "FrozenLake-v1": read("FrozenLake-v1", 0.99),
        "CliffWalking-v1": read("CliffWalking-v1", 0.999),
    }
    if find_spec("flint") is not None:  # 500 states take a minute without
        found["Taxi-v4"] = read("Taxi-v4", 0.99)
    return found


# --- plan-certificate: what is measured ---------------------------------------------------


def _bracket(
    part: Instance, divided: bool = True, clipped: bool = True, all_rows: bool = True
) -> list[Measurement]:
    m = Planner(part.mdp)
    g, rest, policy = m.discount, 1 - m.discount, part.policy
    best, _ = m.optimum()
    value = m.policy_value(policy)
    pairs = [(s, a) for s in m.states for a in m.actions]
    sums = dict(zip(pairs, part.sums, strict=False))

    def scaled(s: int, a: int, w: Value) -> Fraction:
        """sigma (r - w(s)) + discount sum p w of the row as it is stored."""
        total = sums[s, a]
        ahead = sum((total * p * x for p, x in zip(m.P[s][a], w, strict=True)), _ZERO)
        return (total if divided else 1) * (m.r[s][a] - w[s]) + g * ahead

    def residual(s: int, a: int, w: Value) -> Fraction:
        return scaled(s, a, w) / (sums[s, a] if divided else 1)

    mine = [(s, policy[s]) for s in m.states]
    upper_rows = pairs if all_rows else mine
    low = min(residual(s, a, part.value) for s, a in mine)
    high = max(residual(s, a, part.other) for s, a in upper_rows)
    if clipped:
        low, high = min(_ZERO, low), max(_ZERO, high)
    bottom, top = (x / rest for x in _range(m))
    found = [
        # Not clipped at 0: a bound below 0 says that the witness is below by that much.
        Measurement(
            max(x - y for x, y in zip(part.value, value, strict=True)),
            -low / rest,
            max(part.value) - bottom,
            what="(ii) lower",
        ),
        Measurement(
            max(y - x for x, y in zip(part.other, best, strict=True)),
            high / rest,
            top - min(part.other),
            what="(ii) upper",
        ),
    ]
    # Witnesses that are inductive: values under less, and under more, than is paid.
    slack = dict(zip(pairs, part.slack, strict=False))
    less, more = Planner(part.mdp), Planner(part.mdp)
    for s, a in pairs:
        less.r[s][a] -= slack[s, a]
        more.r[s][a] += slack[s, a]
    w, v = less.policy_value(policy), more.optimum()[0]
    below = all(scaled(s, a, w) >= 0 for s, a in mine)
    above = all(scaled(s, a, v) <= 0 for s, a in upper_rows)
    signs = sum(
        _sign(scaled(s, a, x)) != _sign(m.r[s][a] + g * m.ahead(s, a, x) - x[s])
        for x in (part.value, part.other, w, v)
        for s, a in pairs
    )
    return [
        *found,
        Measurement(_above(w, value), 0, event=below, what="(i) lower"),
        Measurement(_above(best, v), 0, event=above, what="(i) upper"),
        Measurement(signs, 0, what="(iii) signs of scaled residuals"),
    ]


def _sign(x: Fraction) -> int:
    return (x > 0) - (x < 0)


def _staged_bracket(part: Instance) -> list[Measurement]:
    stages, w = stages_of(part.mdp), part.value
    best, value = episodic_optimum(stages)[0], episodic_value(stages, part.policy)
    below, above = min(_ZERO, -max(w[-1])), max(_ZERO, -min(w[-1]))
    found = []
    for h in reversed(range(len(stages))):
        m = stages[h]
        policy_side = [x - y for x, y in zip(m.T_pi(w[h + 1], part.policy[h]), w[h], strict=True)]
        all_rows = [x - y for x, y in zip(m.T(w[h + 1]), w[h], strict=True)]
        below += min(_ZERO, *policy_side)
        above += max(_ZERO, *all_rows)
        found += [
            Measurement(_above(w[h], value[h]), -below, what="(iv) lower"),
            Measurement(_above(best[h], w[h]), above, what="(iv) upper"),
        ]
    return found


# --- plan-certificate ---------------------------------------------------------------------


def _certificate(
    instance: Instance,
    divided: bool = True,
    clipped: bool = True,
    all_rows: bool = True,
    outward: bool = True,
) -> list[Measurement]:
    found = []
    exact, staged, model = (part_of(instance, x) for x in ("discounted", "horizon", "solved"))
    if exact is not None:
        found += _bracket(exact, divided, clipped, all_rows)
    if staged is not None:
        found += _staged_bracket(staged)
    if model is not None:
        found += solved(model.mdp, outward)
    return found


@claim(
    "plan-certificate",
    "inequality",
    title="Inductive witnesses bracket the values, and so does what solve returns",
    statement=r"""Rows $\bar p=p/\sigma$, $\sigma=\sum p+e>0$ with the exit $e$; $0\le\gamma<1$.
(i) $w\le T_\pi w\Rightarrow w\le V^\pi$, and $w'\ge Tw'\Rightarrow w'\ge V^*$.
(ii) For any $w,w'$, with $c=\frac{\min(0,\min(T_\pi w-w))}{1-\gamma}$ and
$c'=\frac{\max(0,\max(Tw'-w'))}{1-\gamma}$: $w+c\le V^\pi$ and $V^*\le w'+c'$.
(iii) $T_aw-w$ has the sign of $\sigma(r-w)+\gamma\sum pw$.
(iv) With a horizon, $c_H=\min(0,-\max w_H)$ and
$c_h=c_{h+1}+\min(0,\min(T_{\pi_h}w_{h+1}-w_h))$ give $w_h+c_h\le V^\pi_h$, mirrored above.
What `solve` returns for a model of doubles satisfies, for the rational model that these mean,
$\mathtt{lower}\le V^\pi\le V^*\le\mathtt{upper}$, and $V^*-V^\pi$ and $|\mathtt{value}-V^*|$ are
at most $\mathtt{gap}$; the checker in integers accepts its certificate.""",
    source="Puterman, Markov Decision Processes, 1994, ch. 6; this project (inexact rows, solve)",
    provenance=("textbook", "derived"),
    family=_BRACKETS,
    named={
        "off by 1": _constant_error,
        "row of another sum": _not_divided,
        "ends at once": _ends,
        "better row": _better_row,
    }
    | _gymnasium(),
    mutants=[
        Mutant(
            "not-divided",
            "rows taken as if they summed to 1",
            check=partial(_certificate, divided=False),
        ),
        Mutant(
            "not-clipped",
            "lower shift above 0 with exits",
            check=partial(_certificate, clipped=False),
        ),
        Mutant(
            "policy-side",
            "upper side tested on the rows of the policy",
            check=partial(_certificate, all_rows=False),
        ),
        Mutant(
            "bare-value",
            "the value that solve returns in place of both of its bounds",
            check=partial(_certificate, outward=False),
        ),
        Mutant("not-divided-smt", "not divided, by SMT", smt=smt_losses.certificate_undivided),
        Mutant("not-clipped-smt", "not clipped, by SMT", smt=smt_losses.certificate_unclipped),
        Mutant("policy-side-smt", "upper side, by SMT", smt=smt_losses.certificate_other_side),
    ],
    proof="text",
    smt=smt_losses.certificate,
)
def certificate(instance: Instance) -> list[Measurement]:
    return _certificate(instance)


CLAIMS = (certificate, certificate_total, rounding)
