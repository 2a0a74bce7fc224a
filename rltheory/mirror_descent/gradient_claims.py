r"""Mirror descent and policy gradients of a softmax policy, to first, second and third order.

The problem: pi_theta ~ exp(theta), V(rho) the value from a start law, d the occupancy of pi_k,
F = E_{s ~ d, a ~ pi} (grad log pi)(grad log pi)^T the Fisher information of the logits.

    theta + eta F^+ grad V is mirror descent with eta / (1 - discount)         mdpo-npg
    grad of E_d [<pi_theta, A^k> - KL(pi_theta, pi_k)/t] and of the clipped surrogate of PPO, at
        theta_k: (1 - discount) grad V                                         mdpo-one-step-pg
    Hessians of E_d KL(pi_theta, pi_k) and E_d KL(pi_k, pi_theta) at theta_k: F;
        third derivatives along v: 2 E_d kappa_3(v) and E_d kappa_3(v)         mdpo-kl-hessian

Derivatives are central differences in arithmetic of sixty digits, independent of any formula for
them: with differences of 10^-22, or 10^-14 and 10^-11 of second and third order, they are off by
less than 10^-30, 10^-25 and 10^-19 of the sizes at hand. Proofs: docs/theory/mirror_descent.md.
References: Kakade, NIPS 2001; Agarwal et al., JMLR 2021; Tomar et al., ICLR 2022.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.foundations.soft_planner import CONTEXT
from rltheory.mdp.model import MDP
from rltheory.mirror_descent.exact_iterates import (
    ExactIterates,
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

_H1, _H2, _H3 = (CONTEXT.mpf(10) ** -k for k in (22, 14, 11))
_FIRST, _SECOND, _THIRD = Fraction(1, 10**25), Fraction(1, 10**20), Fraction(1, 10**14)
_INVERTED = Fraction(1, 10**15)
"""After the pseudo-inverse, which multiplies errors by 1 / (d pi), up to 10^10 here."""
_UNREACHED = CONTEXT.mpf(10) ** -50
_CLIP = Fraction(1, 5)
_FAMILY = run_family()


class _Softmax:
    """V(rho) and the occupancy of a softmax policy, as functions of the logits."""

    def __init__(self, i: Instance, bump: bool = False) -> None:
        self.model = ExactIterates(i.mdp)
        self.start = [real(x) for x in i.start]
        self.theta = [logs_of(row) for row in i.init]
        self.rho = i.start
        if bump:
            self.theta = [
                [x + CONTEXT.mpf(a * a + s + 1) / 2 * (-1) ** a for a, x in enumerate(row)]
                for s, row in enumerate(self.theta)
            ]
        self.logs = [softmax(row) for row in self.theta]
        self.pi = [law(row) for row in self.logs]
        self.v = self.model.value(self.logs)
        q = self.model.q(self.v)
        self.advantage = [[x - self.v[s] for x in row] for s, row in enumerate(q)]
        self.q = q

    def occupancy(self) -> list[Any]:
        return self.model.occupancy(self.pi, self.rho)

    def gradient(self) -> list[list[Any]]:
        """dV(rho)/dtheta by central differences."""

        def moved(s: int, a: int, h: Any) -> Any:
            row = [x + (h if a == b else 0) for b, x in enumerate(self.theta[s])]
            logs = [softmax(row) if s == t else other for t, other in enumerate(self.logs)]
            return CONTEXT.fdot(self.start, self.model.value(logs))

        return [
            [(moved(s, a, _H1) - moved(s, a, -_H1)) / (2 * _H1) for a in self.model.actions]
            for s in self.model.states
        ]

    def score(self, s: int, a: int) -> list[Any]:
        """grad log pi(a | s) in the logits of s."""
        return [int(a == b) - p for b, p in enumerate(self.pi[s])]

    def block(self, s: int) -> list[list[Any]]:
        """E_{a ~ pi} of the outer product of the score: the block of F, without d(s)."""
        scores = [self.score(s, a) for a in self.model.actions]
        return [
            [
                CONTEXT.fsum(p * g[a] * g[b] for p, g in zip(self.pi[s], scores, strict=True))
                for b in self.model.actions
            ]
            for a in self.model.actions
        ]


def _unreached() -> Instance:
    """State 1 pays, but nothing leads there."""
    mdp = MDP([[[1, 0]] * 2, [[0, 1]] * 2], [[1, 0], [1, 0]], Fraction(1, 2), exact=True)
    return run_case(mdp, start=[Fraction(1), Fraction(0)])


def _two() -> Instance:
    return run_case(bandit([1, 0], Fraction(1, 2)), init=[["3/10", "7/10"]])


# --- mdpo-npg -----------------------------------------------------------------------------


def _npg(i: Instance, plain: bool = False, all_move: bool = False) -> list[Measurement]:
    soft = _Softmax(i)
    model, eta = soft.model, real(i.step)
    d, gradient = soft.occupancy(), soft.gradient()
    A = len(model.actions)
    found = []
    for s in model.states:
        reached = d[s] > _UNREACHED
        # F^+ = (F + N)^-1 - N, with N the projector on what F maps to 0.
        fisher, kernel = CONTEXT.matrix(A, A), CONTEXT.matrix(A, A)
        block = soft.block(s)
        for a in range(A):
            for b in range(A):
                kernel[a, b] = CONTEXT.mpf(1) / A if reached else CONTEXT.mpf(int(a == b))
                fisher[a, b] = d[s] * block[a][b] if reached else CONTEXT.mpf(0)
        g = CONTEXT.matrix(gradient[s])
        w = CONTEXT.lu_solve(fisher + kernel, g) - kernel * g
        new = softmax([x + eta * y for x, y in zip(soft.theta[s], w, strict=True)])
        length = eta if plain else eta / (1 - model.discount)
        moves = length if reached or all_move else CONTEXT.mpf(0)
        wanted = softmax([x + moves * y for x, y in zip(soft.theta[s], soft.q[s], strict=True)])
        what = "reached" if reached else "never reached"
        apart = distance_of_laws(new, wanted)
        found.append(equal(apart, CONTEXT.mpf(0), f"state {s}, {what}", tolerance=_INVERTED))
    return found


@claim(
    "mdpo-npg",
    "identity",
    title="The natural policy gradient of a softmax policy is mirror descent",
    statement=r"""Discounted model, start law $\rho$, $\pi_\theta\propto e^\theta$, $F$ the Fisher
information of the logits under the occupancy $d^\pi_\rho$. The policy of
$\theta+\eta F^\dagger\nabla_\theta V(\rho)$ is in every state with $d^\pi_\rho(s)>0$ that of a step
of mirror descent with $\frac\eta{1-\gamma}$, and in the other states $\pi_\theta$ itself.""",
    source="Agarwal, Kakade, Lee and Mahajan, JMLR 2021; Kakade, NIPS 2001",
    provenance=("paper", "paper"),
    family=_FAMILY,
    named={"two arms": _two, "a state never reached": _unreached},
    mutants=[
        Mutant("plain-step", "mirror descent with eta", check=partial(_npg, plain=True)),
        Mutant("all-move", "states never reached move too", check=partial(_npg, all_move=True)),
    ],
    proof="text",
)
def npg(instance: Instance) -> list[Measurement]:
    return _npg(instance)


# --- mdpo-one-step-pg ---------------------------------------------------------------------


def _difference(f: Callable[[list[Any]], Any], theta: list[Any], a: int) -> Any:
    up, down = list(theta), list(theta)
    up[a] += _H1
    down[a] -= _H1
    return (f(up) - f(down)) / (2 * _H1)


def _one_step(i: Instance, elsewhere: bool = False, by_start: bool = False) -> list[Measurement]:
    centre = _Softmax(i)
    here = _Softmax(i, bump=True) if elsewhere else centre
    d = [real(x) for x in i.start] if by_start else centre.occupancy()
    gradient = here.gradient()
    t, clip = real(i.step), real(_CLIP)
    found = []
    for s in centre.model.states:
        values, old = centre.advantage[s], centre.logs[s]

        def mdpo(theta: Any, values: Any = values, old: Any = old) -> Any:
            logs = softmax(theta)
            return CONTEXT.fdot(law(logs), values) - kl(logs, old) / t

        def ppo(theta: Any, values: Any = values, old: Any = old) -> Any:
            total = CONTEXT.mpf(0)
            for x, y, value in zip(softmax(theta), old, values, strict=True):
                ratio = CONTEXT.exp(x - y)
                clipped = min(max(ratio, 1 - clip), 1 + clip)
                total += CONTEXT.exp(y) * min(ratio * value, clipped * value)
            return total

        for a in centre.model.actions:
            wanted = (1 - centre.model.discount) * gradient[s][a]
            for f, what in ((mdpo, "MDPO"), (ppo, "PPO-clip")):
                slope = d[s] * _difference(f, here.theta[s], a)
                found.append(equal(slope, wanted, f"{what}, ({s}, {a})", tolerance=_FIRST))
    return found


@claim(
    "mdpo-one-step-pg",
    "identity",
    title="One gradient step of MDPO, or of PPO-clip, is vanilla policy gradient",
    statement=r"""Discounted model, start law $\rho$, $\pi_\theta\propto e^\theta$,
$d=d^{\pi_k}_\rho$. For every $t>0$ and every clip in $(0,1)$, the gradients at $\theta_k$ of
$$E_{s\sim d}\Bigl[\langle\pi_\theta,A^k\rangle-\tfrac1t\mathrm{KL}(\pi_\theta\|\pi_k)\Bigr]\quad
\text{and}\quad E_{s\sim d}\sum_a\pi_k\min\Bigl\{\tfrac{\pi_\theta}{\pi_k}A^k,\,
\mathrm{clip}\bigl(\tfrac{\pi_\theta}{\pi_k}\bigr)A^k\Bigr\}$$
are both $(1-\gamma)\nabla_\theta V(\rho)$: the divergence is invisible to a first step.""",
    source="Tomar et al., ICLR 2022 (MDPO); this project (PPO-clip)",
    provenance=("paper", "derived"),
    family=_FAMILY,
    named={"two arms": _two, "a state never reached": _unreached},
    mutants=[
        Mutant(
            "elsewhere", "at theta other than theta_k", check=partial(_one_step, elsewhere=True)
        ),
        Mutant("start-law", "rho in place of d", check=partial(_one_step, by_start=True)),
    ],
    proof="text",
)
def one_step_pg(instance: Instance) -> list[Measurement]:
    return _one_step(instance)


# --- mdpo-kl-hessian ----------------------------------------------------------------------


def _mixed_difference(f: Callable[[list[Any]], Any], theta: list[Any], a: int, b: int) -> Any:
    def at(x: int, y: int) -> Any:
        moved = list(theta)
        moved[a] += x * _H2
        moved[b] += y * _H2
        return f(moved)

    return (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * _H2**2)


def _third_difference(f: Callable[[list[Any]], Any], theta: list[Any], v: list[Any]) -> Any:
    def at(k: int) -> Any:
        return f([x + k * _H3 * y for x, y in zip(theta, v, strict=True)])

    return (at(2) - 2 * at(1) + 2 * at(-1) - at(-2)) / (2 * _H3**3)


def _hessian(i: Instance, factor: int = 1, same_third: bool = False) -> list[Measurement]:
    soft = _Softmax(i)
    d = soft.occupancy()
    A = len(soft.model.actions)
    found = []
    for s in soft.model.states:
        old, theta, pi, block = soft.logs[s], soft.theta[s], soft.pi[s], soft.block(s)

        def backward(x: Any, old: Any = old) -> Any:
            return kl(softmax(x), old)

        def forward(x: Any, old: Any = old) -> Any:
            return kl(old, softmax(x))

        direction = [CONTEXT.mpf(a * a) for a in range(A)]
        mean = CONTEXT.fdot(pi, direction)
        skew = CONTEXT.fsum(p * (v - mean) ** 3 for p, v in zip(pi, direction, strict=True))
        for f, what, third in (
            (backward, "KL(pi_theta, pi_k)", 1 if same_third else 2),
            (forward, "KL(pi_k, pi_theta)", 1),
        ):
            for a in range(A):
                for b in range(a, A):
                    second = d[s] * _mixed_difference(f, theta, a, b)
                    wanted = factor * d[s] * block[a][b]
                    found.append(equal(second, wanted, f"Hessian of {what}", tolerance=_SECOND))
            found.append(
                equal(
                    d[s] * _third_difference(f, theta, direction),
                    third * d[s] * skew,
                    f"third derivative of {what}",
                    tolerance=_THIRD,
                )
            )
    return found


@claim(
    "mdpo-kl-hessian",
    "identity",
    title="MDPO, TRPO and the natural gradient agree to second order, and not to third",
    statement=r"""$\pi_\theta\propto e^\theta$, $d=d^{\pi_k}_\rho$. At $\theta_k$ both
$\theta\mapsto E_d\mathrm{KL}(\pi_\theta\|\pi_k)$ (MDPO) and
$\theta\mapsto E_d\mathrm{KL}(\pi_k\|\pi_\theta)$ (TRPO) have value 0, gradient 0 and the Hessian
$F$. Their third derivatives along $v$ are $2E_d\kappa_3$ and $E_d\kappa_3$, where
$\kappa_3=E_{\pi_k}(v-E_{\pi_k}v)^3$.""",
    source="Tomar et al., ICLR 2022 (second order); this project (third)",
    provenance=("paper", "derived"),
    family=_FAMILY,
    named={"two arms": _two},
    mutants=[
        Mutant("twice", "2 F", check=partial(_hessian, factor=2)),
        Mutant("same-third", "kappa_3 for both", check=partial(_hessian, same_third=True)),
    ],
    proof="text",
)
def kl_hessian(instance: Instance) -> list[Measurement]:
    return _hessian(instance)


CLAIMS = (npg, one_step_pg, kl_hessian)
