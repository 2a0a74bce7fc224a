r"""Regularised mirror descent: what its step is, and how fast it converges.

The problem: at temperature lambda with a reference law (or the entropy), Q^k the regularised q
values of pi_k; in Cen et al.'s step, eta = (1 - discount)(1 - alpha) / lambda,

    pi_{k+1} ~ pi_k^alpha rho^{1-alpha} exp((1-alpha) Q^k / lambda),   alpha = 1/(1 + eta_k lambda)

    pi_{k+1} ~ pi_k^alpha sac_k^{1-alpha},  sac_k ~ rho exp(Q^k / lambda)         mdpo-sac-limit
    max |Q* - Q^{k+1}| <= discount C_1 (1 - eta lambda)^k                         mdpo-rate-entropy
    max |log pi* - log pi_{k+1}| <= C_1 (1 - eta lambda)^k / lambda

Everything is computed to sixty digits. Proofs: docs/theory/mirror_descent.md. References: Tomar et
al., ICLR 2022; Haarnoja et al., ICML 2018; Cen et al., Oper. Res. 2022.
"""

from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.foundations.soft_planner import CONTEXT
from rltheory.mirror_descent.bounds import entropy_bound
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
from rltheory.mirror_descent.rate_claims import slow_chain

__all__ = ["CLAIMS"]

_STEPS = 2
_ITERATIONS = 8
_FAMILY = run_family(regularised=True)


def _model(i: Instance) -> ExactIterates:
    return ExactIterates(i.mdp, i.temperature, i.reference)


# --- mdpo-sac-limit -----------------------------------------------------------------------


def _sac_limit(
    i: Instance, cold: bool = False, swapped: bool = False, centre_kept: bool = False
) -> list[Measurement]:
    model, eta = _model(i), real(i.step)
    policies, _, qs = model.run([logs_of(row) for row in i.init], _STEPS, lambda *_: eta)
    keep = 1 / (1 + eta * model.tau)
    zero = CONTEXT.mpf(0)
    found = []
    for old, new, q in zip(policies[:-1], policies[1:], qs, strict=False):
        at_once = model.step(old, q, CONTEXT.inf)
        for s in model.states:
            rho, tau = model.reference(s), CONTEXT.mpf(1) if cold else model.tau
            sac = softmax([z + y / tau for y, z in zip(q[s], rho, strict=True)])
            share = 1 - keep if swapped else keep
            mixed = softmax([share * x + (1 - share) * y for x, y in zip(old[s], sac, strict=True)])
            sizes = [x / model.tau for x in q[s]] + list(old[s])
            found.append(equal(distance_of_laws(new[s], mixed), zero, "mixture", *sizes))
            found.append(equal(distance_of_laws(at_once[s], sac), zero, "eta = inf", *sizes))

            def objective(p: Any, s: int = s, old: Any = old, q: Any = q, rho: Any = rho) -> Any:
                paid = CONTEXT.fdot(law(p), q[s])
                return paid - model.tau * kl(p, rho) - kl(p, old[s]) / eta

            best = objective(new[s])
            for a in model.actions:
                corner = [zero if a == b else CONTEXT.ninf for b in model.actions]
                lost, apart = best - objective(corner), (model.tau + 1 / eta) * kl(corner, new[s])
                more = [model.tau * x for x in sizes]
                found.append(equal(lost, apart, "what another law loses", best, apart, *more))
            # A step of the plain kind, of length 1/lambda, from the uniform law.
            centre = old[s] if centre_kept else [zero] * len(old[s])
            plain = softmax([x + y / model.tau for x, y in zip(centre, q[s], strict=True)])
            soft = softmax([y / model.tau for y in q[s]])
            found.append(equal(distance_of_laws(plain, soft), zero, "from uniform", *sizes))
    return found


@claim(
    "mdpo-sac-limit",
    "identity",
    title="Regularised mirror descent is a geometric mixture with the step of SAC",
    statement=r"""Discounted model, temperature $\lambda>0$, reference $\varrho$ (constant for the
entropy), $\eta>0$, $Q^k$ the regularised q values of $\pi_k$. The maximiser $\pi_{k+1}$ of
$\langle q,Q^k\rangle-\lambda\mathrm{KL}(q\|\varrho)-\frac1\eta\mathrm{KL}(q\|\pi_k)$ is, with
$\alpha=\frac1{1+\eta\lambda}$,
$$\pi_{k+1}\propto\pi_k^\alpha\,\bigl(\pi^{SAC}_k\bigr)^{1-\alpha},\qquad
\pi^{SAC}_k\propto\varrho\,e^{Q^k/\lambda}.$$
So $\eta\to\infty$ gives SAC's improvement step, which is soft policy iteration. A step of plain
mirror descent from the uniform law in place of $\pi_k$ is the same with $\lambda=1/\eta$.""",
    source="Tomar et al., ICLR 2022 (the limit); this project (the mixture)",
    provenance=("paper", "derived"),
    family=_FAMILY,
    named={
        "two arms": lambda: run_case(
            bandit([1, 0], Fraction(1, 2)), init=[["1/10", "9/10"]], temperature=Fraction(1, 2)
        )
    },
    mutants=[
        Mutant(
            "unit-temperature", "exp(Q) for exp(Q / lambda)", check=partial(_sac_limit, cold=True)
        ),
        Mutant("swapped", "alpha and 1 - alpha swapped", check=partial(_sac_limit, swapped=True)),
        Mutant("centre-kept", "the last from pi_k", check=partial(_sac_limit, centre_kept=True)),
    ],
    proof="text",
)
def sac_limit(instance: Instance) -> list[Measurement]:
    return _sac_limit(instance)


# --- mdpo-rate-entropy --------------------------------------------------------------------


def _entropy(i: Instance, power: int = 1, share: Any = 1, log_share: Any = 1) -> list[Measurement]:
    model = _model(i)
    g, tau = model.discount, model.tau
    step = real(i.share) * (1 - g) / tau
    room = 1 - g - step * tau
    prox = step / room if i.share != 1 else CONTEXT.inf
    count = int(i.iterations) if "iterations" in i else _ITERATIONS
    policies, _, qs = model.run([logs_of(row) for row in i.init], count, lambda *_: prox)
    best = model.soft.optimum()
    q_best = model.q(best)
    optimal = [
        softmax([z + y / tau for y, z in zip(q_best[s], model.reference(s), strict=True)])
        for s in model.states
    ]

    def q_gap(q: Any) -> Any:
        rows = zip(q_best, q, strict=True)
        return max(abs(x - y) for row, other in rows for x, y in zip(row, other, strict=True))

    def log_gap(policy: Any) -> Any:
        return max(distance_of_laws(x, y) for x, y in zip(optimal, policy, strict=True))

    first, apart = q_gap(qs[0]), log_gap(policies[0])
    sizes = [x for row in q_best for x in row] + [tau * apart]
    found = []
    for k in range(1, count + 1):
        bound = entropy_bound(k, step, tau, first, apart, g)
        bound = share * bound * (1 - step * tau) ** ((power - 1) * (k - 1))
        found.append(at_most(q_gap(qs[k]), bound, f"Q, k = {k}", *sizes))
        # At discount 0 the bound of Q is 0; that of the logarithms is formed without it.
        constant = first + 2 * tau * (1 - real(i.share)) * apart
        late = log_share * constant / tau * (1 - step * tau) ** (power * (k - 1))
        found.append(
            at_most(log_gap(policies[k]), late, f"log pi, k = {k}", *[x / tau for x in sizes])
        )
    return found


def _arms(share: str) -> Any:
    return lambda: run_case(
        bandit([1, 0]), init=[["1/10", "9/10"]], temperature=Fraction(1, 2), share=Fraction(share)
    )


def _corridor(discount: str) -> Any:
    """Soft policy iteration, cold enough to be policy iteration."""
    return lambda: slow_chain(discount, temperature=Fraction(1, 10**9))


@claim(
    "mdpo-rate-entropy",
    "inequality",
    title="Regularised mirror descent converges linearly",
    statement=r"""Temperature $\lambda>0$, entropy or a reference $\varrho>0$,
$0<\eta\le\frac{1-\gamma}\lambda$, and
$\pi_{t+1}\propto\pi_t^{1-\eta\lambda/(1-\gamma)}\varrho^{\eta\lambda/(1-\gamma)}
e^{\eta Q^t_\lambda/(1-\gamma)}$. With
$C_1=\|Q^*_\lambda-Q^0_\lambda\|_\infty+2\lambda\bigl(1-\frac{\eta\lambda}{1-\gamma}\bigr)
\|\log\pi^*_\lambda-\log\pi_0\|_\infty$, for every $t\ge0$
$$\|Q^*_\lambda-Q^{t+1}_\lambda\|_\infty\le\gamma C_1(1-\eta\lambda)^t,\qquad
\|\log\pi^*_\lambda-\log\pi_{t+1}\|_\infty\le\frac{C_1}\lambda(1-\eta\lambda)^t.$$
Cen et al. have $\frac{2C_1}\lambda$ in the second; the proof here does without the 2.
At $\eta=\frac{1-\gamma}\lambda$ this is soft policy iteration, with rate $\gamma$: on a corridor
that policy iteration repairs one state a round, both ratios tend to 1 as $\lambda\to0$.""",
    source="Cen, Cheng, Chen, Wei and Chi, Oper. Res. 2022, theorem 1; this project (references)",
    provenance=("paper", "derived"),
    family=_FAMILY,
    named={
        "corridor, discount 9/10": _corridor("9/10"),
        "corridor, discount 1/2": _corridor("1/2"),
        "two arms, half the step": _arms("1/2"),
        "two arms, a hundredth of it": _arms("1/100"),
    },
    mutants=[
        Mutant(
            "squared",
            "(1 - eta lambda)^(2t), at discount 0",
            check=partial(_entropy, power=2),
            named={"two arms, half the step": _arms("1/2")},
        ),
        Mutant(
            "nine-tenths",
            "9/10 of the first bound",
            check=partial(_entropy, share=real(Fraction(9, 10))),
        ),
        Mutant(
            "nine-tenths-of-logs",
            "9/10 of the second bound",
            check=partial(_entropy, log_share=real(Fraction(9, 10))),
        ),
    ],
    bound=entropy_bound,
    proof="text",
)
def rate_entropy(instance: Instance) -> list[Measurement]:
    return _entropy(instance)


CLAIMS = (sac_limit, rate_entropy)
