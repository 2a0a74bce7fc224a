r"""One step of mirror descent, and many: closed form, three points, improvement, trust region.

The problem: pi_{k+1} = argmax_q <q, Q^k> - KL(q, pi_k)/eta in every state. Symbols as in
`mirror_descent_policy_iteration`; p is any law on the actions.

    pi_{k+1} ~ pi_k exp(eta Q^k)                                                  mdpo-closed-form
    eta <Q^k, p - pi_{k+1}> = KL(p, pi_k) - KL(p, pi_{k+1}) - KL(pi_{k+1}, pi_k)  mdpo-three-point
    V^{k+1} >= V^k + <Q^k, pi_{k+1} - pi_k>                                       mdpo-improvement
    KL(pi_{k+1}, pi_k), KL(pi_k, pi_{k+1}) <= eta^2 span(Q^k)^2 / 8               mdpo-trust-region
    pi_K ~ pi_0 exp(sum of eta_k Q^k over k < K)                                  mdpo-averaging

Everything is computed to sixty digits. Proofs: docs/theory/mirror_descent.md. References: Tomar et
al., ICLR 2022; Shani, Efroni and Mannor, AAAI 2020.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.foundations.soft_planner import CONTEXT
from rltheory.mdp.model import MDP
from rltheory.mirror_descent.bounds import trust_region_bound
from rltheory.mirror_descent.exact_iterates import (
    ExactIterates,
    at_most,
    distance_of_laws,
    equal,
    kl,
    law,
    logs_of,
    real,
    softmax,
)
from rltheory.mirror_descent.instances import bandit, run_case, run_family

__all__ = ["CLAIMS"]

_STEPS = 3
_FAMILY = run_family()


def _dot(x: Any, y: Any) -> Any:
    return CONTEXT.fdot(x, y)


def _weighted(p: Any, q: Any) -> Any:
    """<p, q> where q may be anything at actions that p never takes."""
    return CONTEXT.fsum(x * y for x, y in zip(p, q, strict=True) if x != 0)


def _iterates(i: Instance, count: int = _STEPS) -> tuple[ExactIterates, Any, Any, Any, Any]:
    model, eta = ExactIterates(i.mdp), real(i.step)
    policies, values, qs = model.run([logs_of(row) for row in i.init], count, lambda *_: eta)
    return model, policies, values, qs, eta


def _laws(i: Instance, s: int, first: Any) -> Iterator[Any]:
    """Laws on the actions that the first policy takes, in logarithms: corners, the mean, others."""
    A = i.mdp.n_actions
    allowed = [x != CONTEXT.ninf for x in first]
    weights = [[int(a == b) for b in range(A)] for a in range(A) if allowed[a]]
    weights.append([int(x) for x in allowed])
    weights.append([w if x else 0 for w, x in zip(i.laws[s], allowed, strict=True)])
    for row in weights:
        if any(row):
            yield logs_of([Fraction(w) / sum(map(Fraction, row)) for w in row])


def _never() -> Instance:
    """The best of three arms is never taken, and so is never learned."""
    return run_case(bandit([1, "1/2", 0]), init=[[0, "1/4", "3/4"]], laws=[[Fraction(1), 0, 0]])


def _two(step: str, p: str = "1/2") -> Instance:
    return run_case(bandit([1, 0]), init=[[Fraction(p), 1 - Fraction(p)]], step=Fraction(step))


# --- mdpo-closed-form ---------------------------------------------------------------------


def _closed_form(i: Instance, inverted: bool = False, uncentred: bool = False) -> list[Measurement]:
    model, policies, values, qs, eta = _iterates(i)
    found = []
    for pi, v, q in zip(policies[:-1], values, qs, strict=False):
        for s in model.states:
            used = 1 / eta if inverted else eta
            centre = [x * 0 if uncentred and x != CONTEXT.ninf else x for x in pi[s]]
            new = softmax([x + used * y for x, y in zip(centre, q[s], strict=True)])
            by_advantage = softmax(
                [x + used * (y - v[s]) for x, y in zip(centre, q[s], strict=True)]
            )
            apart = distance_of_laws(new, by_advantage)
            sizes = [used * y for y in q[s]]
            found.append(equal(apart, CONTEXT.mpf(0), "by the advantages", *sizes))

            def objective(p: Any, s: int = s, pi: Any = pi, q: Any = q) -> Any:
                return _weighted(law(p), q[s]) - kl(p, pi[s]) / eta

            best = objective(new)
            for p in _laws(i, s, pi[s]):
                lost, apart = best - objective(p), kl(p, new) / eta
                found.append(equal(lost, apart, "what another law loses", best, apart, *sizes))
    return found


@claim(
    "mdpo-closed-form",
    "identity",
    title="A step of mirror descent multiplies probabilities by exponentials",
    statement=r"""Discounted model, $\eta>0$, in every state. With
$\pi_{k+1}\propto\pi_ke^{\eta Q^k}$ and $F(q)=\langle q,Q^k\rangle-\frac1\eta\mathrm{KL}(q\|\pi_k)$,
for every law $p$ on the actions that $\pi_k$ takes
$$F(\pi_{k+1})-F(p)=\tfrac1\eta\mathrm{KL}(p\|\pi_{k+1}),$$
so that $\pi_{k+1}$ is the only maximiser of $F$. The advantages $A^k=Q^k-V^k$ in place of $Q^k$
give the same $\pi_{k+1}$.""",
    source="Tomar, Shani, Efroni and Ghavamzadeh, ICLR 2022",
    provenance=("paper", "paper"),
    family=_FAMILY,
    named={"an arm never taken": _never, "two arms": lambda: _two("2", "1/10")},
    mutants=[
        Mutant("inverted", "exp(Q / eta)", check=partial(_closed_form, inverted=True)),
        Mutant("uncentred", "exp(eta Q) without pi_k", check=partial(_closed_form, uncentred=True)),
    ],
    proof="text",
)
def closed_form(instance: Instance) -> list[Measurement]:
    return _closed_form(instance)


# --- mdpo-three-point ---------------------------------------------------------------------


def _three_point(i: Instance, sign: int = 1, reversed_: bool = False) -> list[Measurement]:
    model, policies, _, qs, eta = _iterates(i)
    found = []
    for old, new, q in zip(policies[:-1], policies[1:], qs, strict=False):
        for s in model.states:
            moved = kl(old[s], new[s]) if reversed_ else kl(new[s], old[s])
            for p in _laws(i, s, old[s]):
                left = eta * (_weighted(law(p), q[s]) - _weighted(law(new[s]), q[s]))
                before, after = kl(p, old[s]), kl(p, new[s])
                right = before - after - sign * moved
                found.append(equal(left, right, "three points", before, after, moved))
    return found


@claim(
    "mdpo-three-point",
    "identity",
    title="The three-point identity of mirror descent",
    statement=r"""Discounted model, $\eta>0$, $\pi_{k+1}\propto\pi_ke^{\eta Q^k}$. In every state
and for every law $p$ on the actions that $\pi_k$ takes
$$\eta\langle Q^k,p-\pi_{k+1}\rangle=\mathrm{KL}(p\|\pi_k)-\mathrm{KL}(p\|\pi_{k+1})-
\mathrm{KL}(\pi_{k+1}\|\pi_k).$$""",
    source="Chen and Teboulle, SIAM J. Optim. 1993; Shani, Efroni and Mannor, AAAI 2020",
    provenance=("textbook", "textbook"),
    family=_FAMILY,
    named={"an arm never taken": _never, "two arms": lambda: _two("2", "1/10")},
    mutants=[
        Mutant("sign", "plus the last divergence", check=partial(_three_point, sign=-1)),
        Mutant("reversed", "KL(pi_k, pi_{k+1}) last", check=partial(_three_point, reversed_=True)),
    ],
    proof="text",
)
def three_point(instance: Instance) -> list[Measurement]:
    return _three_point(instance)


# --- mdpo-improvement ---------------------------------------------------------------------


def _improvement(i: Instance, resolvent: bool = False) -> list[Measurement]:
    model, policies, values, qs, eta = _iterates(i)
    found = []
    for k in range(_STEPS):
        old, new, q = policies[k], policies[k + 1], qs[k]
        for s in model.states:
            gain = _weighted(law(new[s]), q[s]) - _weighted(law(old[s]), q[s])
            both = kl(new[s], old[s]) + kl(old[s], new[s])
            zero = CONTEXT.mpf(0)
            sizes = [eta * y for y in q[s]]
            found.append(at_most(abs(eta * gain - both), zero, "eta gain = both KL", *sizes))
            found.append(at_most(zero, gain, "0 <= gain", *sizes))
            claimed = gain / (1 - model.discount) if resolvent else gain
            rise = values[k + 1][s] - values[k][s]
            found.append(at_most(claimed, rise, "gain <= rise of V", values[k][s], *sizes))
    return found


@claim(
    "mdpo-improvement",
    "inequality",
    title="Mirror descent improves every state, by at least its linear gain",
    statement=r"""Discounted model, $\eta>0$, $\pi_{k+1}\propto\pi_ke^{\eta Q^k}$. In every state
$$\eta\langle Q^k,\pi_{k+1}-\pi_k\rangle=\mathrm{KL}(\pi_{k+1}\|\pi_k)+\mathrm{KL}(\pi_k\|\pi_{k+1})
\ge0,\qquad V^{k+1}\ge V^k+\langle Q^k,\pi_{k+1}-\pi_k\rangle.$$
With equality at $\gamma=0$.""",
    source="this project; Xiao, JMLR 2022 (shape)",
    provenance=("paper", "derived"),
    family=_FAMILY,
    named={
        "two arms": lambda: _two("1"),
        "an absorbing reward": lambda: run_case(_detour(), init=[["1/2", "1/2"], ["1/2", "1/2"]]),
    },
    mutants=[
        Mutant(
            "resolvent",
            "1/(1 - discount) times the gain",
            check=partial(_improvement, resolvent=True),
        )
    ],
    proof="text",
)
def improvement(instance: Instance) -> list[Measurement]:
    return _improvement(instance)


def _detour() -> MDP:
    """State 0 chooses once, between 1 and nothing; state 1 absorbs and pays nothing."""
    return MDP([[[0, 1]] * 2, [[0, 1]] * 2], [[1, 0], [0, 0]], Fraction(9, 10), exact=True)


# --- mdpo-trust-region --------------------------------------------------------------------


def _trust_region(i: Instance, share: Any = 1, unsquared: bool = False) -> list[Measurement]:
    model, policies, _, qs, eta = _iterates(i)
    found = []
    for old, new, q in zip(policies[:-1], policies[1:], qs, strict=False):
        for s in model.states:
            span = max(q[s]) - min(q[s])
            bound = eta**2 * span / 8 if unsquared else trust_region_bound(eta, span)
            bound = share * bound
            sizes = [eta * y for y in q[s]]
            found.append(at_most(kl(new[s], old[s]), bound, "KL(new, old)", *sizes))
            found.append(at_most(kl(old[s], new[s]), bound, "KL(old, new)", *sizes))
    return found


@claim(
    "mdpo-trust-region",
    "inequality",
    title="A step of mirror descent stays in a trust region, in both directions",
    statement=r"""Discounted model, $\eta>0$, $\pi_{k+1}\propto\pi_ke^{\eta Q^k}$. In every state
$$\max\{\mathrm{KL}(\pi_{k+1}\|\pi_k),\ \mathrm{KL}(\pi_k\|\pi_{k+1})\}\le\frac{\eta^2}8
\bigl(\max_aQ^k(s,a)-\min_aQ^k(s,a)\bigr)^2,$$
so that exact mirror descent satisfies the constraint of TRPO with that radius. The ratio tends to 1
for two actions of probability $\frac12$ as $\eta\to0$.""",
    family=_FAMILY,
    named={
        "two arms, eta = 1/1000": lambda: _two("1/1000"),
        "two arms, eta = 10": lambda: _two("10"),
    },
    mutants=[
        Mutant("sixteenth", "eta^2 / 16", check=partial(_trust_region, share=real(Fraction(1, 2)))),
        Mutant(
            "unsquared",
            "the span, not its square",
            check=partial(_trust_region, unsquared=True),
            named={"rewards up to 2": lambda: run_case(bandit([2, 0]), step=Fraction(1, 1000))},
        ),
    ],
    bound=trust_region_bound,
    proof="text",
)
def trust_region(instance: Instance) -> list[Measurement]:
    return _trust_region(instance)


# --- mdpo-averaging -----------------------------------------------------------------------


def _averaging(i: Instance, late: int = 0, equal_steps: bool = False) -> list[Measurement]:
    model, count = ExactIterates(i.mdp), 4
    # Steps that differ, so that a sum with the wrong weights is another policy.
    steps = [real(i.step) * (1 + k) / (2 + (k * k) % 3) for k in range(count + 1)]
    first = [logs_of(row) for row in i.init]
    policies, _, qs = model.run(first, count + 1, lambda k, *_: steps[k])
    found = []
    for s in model.states:
        logits = list(first[s])
        for k in range(late, count + late):
            eta = steps[0] if equal_steps else steps[k]
            logits = [x + eta * y for x, y in zip(logits, qs[k][s], strict=True)]
        apart = distance_of_laws(softmax(logits), policies[count][s])
        sizes = [x for x in logits if x != CONTEXT.ninf]
        found.append(equal(apart, CONTEXT.mpf(0), "policy of the sum", *sizes))
    return found


@claim(
    "mdpo-averaging",
    "identity",
    title="Mirror descent remembers the sum of all its q values",
    statement=r"""Discounted model, any steps $\eta_k>0$, $\pi_{k+1}\propto\pi_ke^{\eta_kQ^k}$:
in every state $\pi_K\propto\pi_0\exp\bigl(\sum_{k<K}\eta_kQ^k\bigr)$.""",
    source="Tomar et al., ICLR 2022; Vieillard et al., NeurIPS 2020 (shape)",
    provenance=("textbook", "textbook"),
    family=_FAMILY,
    named={"an arm never taken": _never, "two arms": lambda: _two("2", "1/10")},
    mutants=[
        Mutant("late", "the sum over k = 1..K", check=partial(_averaging, late=1)),
        Mutant("equal-steps", "eta_0 for every step", check=partial(_averaging, equal_steps=True)),
    ],
    proof="text",
)
def averaging(instance: Instance) -> list[Measurement]:
    return _averaging(instance)


CLAIMS = (closed_form, three_point, improvement, trust_region, averaging)
