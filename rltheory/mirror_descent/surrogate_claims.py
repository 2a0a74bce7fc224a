r"""The step of TRPO in closed form, and what the clipped surrogate of PPO leaves free.

    argmax <q, Q> - KL(pi, q) / eta  is  q(a) = pi(a) / (eta (nu - Q(a))),
        max Q < nu <= max Q + 1/eta, the root of sum q = 1                       mdpo-trpo-forward
    pi = (p, 1-p), A = (1-p, -p), clip eps, p (1+eps) <= 1: the surrogate at (x, 1-x) is
        2 eps p (1-p), its maximum, for all x >= max{p (1+eps), 1 - (1-p)(1-eps)}, up to
        KL = log 1/p                                                             mdpo-ppo-flat

Proofs: docs/theory/mirror_descent.md. References: Schulman et al., ICML 2015, arXiv 1707.06347.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer
from rltheory.foundations.soft_planner import CONTEXT
from rltheory.mirror_descent.exact_iterates import (
    ExactIterates,
    at_most,
    equal,
    kl,
    law,
    logs_of,
    real,
    softmax,
)
from rltheory.mirror_descent.instances import bandit, run_case, run_family

__all__ = ["CLAIMS", "forward_root"]

# --- mdpo-trpo-forward --------------------------------------------------------------------


def forward_root(pi: list[Any], below: list[Any]) -> Any:
    """y in (0, 1] with sum pi(a) / (y + c(a)) = 1, for c >= 0 with least entry 0; by bisection."""
    low, high = CONTEXT.mpf(0), CONTEXT.mpf(1)
    for _ in range(210):
        middle = (low + high) / 2
        total = CONTEXT.fsum(p / (middle + c) for p, c in zip(pi, below, strict=True))
        low, high = (middle, high) if total > 1 else (low, middle)
    return high


def _forward(i: Instance, mirror: bool = False, upper: bool = False) -> list[Measurement]:
    model, eta = ExactIterates(i.mdp), real(i.step)
    logs = [logs_of(row) for row in i.init]
    q_values = model.q(model.value(logs))
    A = len(model.actions)
    found = []
    for s in model.states:
        pi, q = law(logs[s]), q_values[s]
        below = [eta * (max(q) - x) for x in q]
        y = CONTEXT.mpf(1) if upper else forward_root(pi, below)
        new = [p / (y + c) for p, c in zip(pi, below, strict=True)]
        if mirror:
            new = law(softmax([x + eta * z for x, z in zip(logs[s], q, strict=True)]))
        sizes = [eta, *below, *(1 / x for x in new)]
        total = CONTEXT.fsum(new)
        found.append(equal(total, CONTEXT.mpf(1), "sum", *sizes))

        def objective(p: Any, pi: Any = pi, q: Any = q) -> Any:
            paid = CONTEXT.fdot(p, q)
            apart = CONTEXT.fsum(x * CONTEXT.log(x / z) for x, z in zip(pi, p, strict=True))
            return paid - apart / eta

        weights = [[1] * A, [a + 1 for a in range(A)], [1 + 9 * x for x in i.laws[s]]]
        for row in weights:
            p = [real(w) / real(sum(map(Fraction, row))) for w in row]
            ratios = [x / z for x, z in zip(p, new, strict=True)]
            lost = objective(new) - objective(p)
            wanted = (
                CONTEXT.fsum(x * (z - 1 - CONTEXT.log(z)) for x, z in zip(pi, ratios, strict=True))
                / eta
            )
            found.append(equal(lost, wanted, "what another law loses", *sizes, *ratios))
        if "roots" in i:
            found.append(equal(new[0], CONTEXT.sqrt(real(i.roots)), "by hand", *sizes))
            step = law(softmax([x + eta * z for x, z in zip(logs[s], q, strict=True)]))
            e = CONTEXT.e
            by_hand = real(i.roots) * e / (real(i.roots) * e + 1 - real(i.roots))
            found.append(equal(step[0], by_hand, "mirror descent, by hand", *sizes))
    return found


def _square_root() -> Instance:
    """nu^2 - 2 nu + 7/10 = 0: the step takes the first arm with probability sqrt(3/10)."""
    return run_case(
        bandit([1, 0]), init=[["3/10", "7/10"]], step=Fraction(1), roots=Fraction(3, 10)
    )


@claim(
    "mdpo-trpo-forward",
    "identity",
    title="The penalised step of TRPO is another one than that of mirror descent",
    statement=r"""In a state let $\pi_k>0$, $Q$ real, $\eta>0$. The only maximiser of
$G(q)=\langle q,Q\rangle-\frac1\eta\mathrm{KL}(\pi_k\|q)$ is
$q(a)=\frac{\pi_k(a)}{\eta(\nu-Q(a))}$, with $\nu\in(\max Q,\max Q+\frac1\eta]$ the root of
$\sum_aq(a)=1$, and for every law $p>0$
$$G(q)-G(p)=\frac1\eta\sum_a\pi_k(a)\Bigl(\frac{p(a)}{q(a)}-1-\log\frac{p(a)}{q(a)}\Bigr).$$
With $\pi_k=(0.3,0.7)$, $Q=(1,0)$, $\eta=1$ it is $(\sqrt{0.3},1-\sqrt{0.3})=(0.547723,0.452277)$,
where mirror descent has $(0.538102,0.461898)$.""",
    family=run_family(),
    named={"three tenths": _square_root},
    mutants=[
        Mutant("mirror", "the step of mirror descent", check=partial(_forward, mirror=True)),
        Mutant("upper-end", "nu = max Q + 1/eta", check=partial(_forward, upper=True)),
    ],
    proof="text",
)
def trpo_forward(instance: Instance) -> list[Measurement]:
    return _forward(instance)


# --- mdpo-ppo-flat ------------------------------------------------------------------------


def _surrogate(x: Fraction, p: Fraction, clip: Fraction, clipped: bool = True) -> Fraction:
    """Of (x, 1-x) at pi = (p, 1-p) and A = (1-p, -p), exactly."""
    total = Fraction(0)
    for new, old, value in ((x, p, 1 - p), (1 - x, 1 - p, -p)):
        ratio = new / old
        kept = min(max(ratio, 1 - clip), 1 + clip) if clipped else ratio
        total += old * min(ratio * value, kept * value)
    return total


def _flat(i: Instance, clipped: bool = True, within: bool = False) -> list[Measurement]:
    p, clip = i.p, i.clip
    edge = min(Fraction(1), max(p * (1 + clip), 1 - (1 - p) * (1 - clip)))
    top = 2 * clip * p * (1 - p)
    found = []
    for k in range(9):
        x = edge + (1 - edge) * Fraction(k, 8)
        off = abs(_surrogate(x, p, clip, clipped) - top)
        found.append(Measurement(off, 0, what=f"surrogate beyond the edge, x = {float(x):.6g}"))
    for k in range(65):
        found.append(Measurement(_surrogate(Fraction(k, 64), p, clip), top, what="maximum"))
    for x, value in i.points:
        off = abs(_surrogate(x, p, clip, clipped) - value)
        found.append(Measurement(off, 0, what=f"surrogate at {x}"))
    # The last maximiser, as far from pi as a law can be.
    apart = kl(logs_of([1, 0]), logs_of([p, 1 - p]))
    if within:
        found.append(at_most(apart, CONTEXT.log(1 + real(clip)), "KL of a maximiser"))
    found.append(at_most(real(i.radius), apart, "radius < KL of a maximiser"))
    return found


def _clip(p: str, clip: str, radius: str, points: Any = ()) -> Callable[[], Instance]:
    return lambda: Instance(
        p=Fraction(p),
        clip=Fraction(clip),
        radius=Fraction(radius),
        points=[(Fraction(x), Fraction(y)) for x, y in points],
    )


def _flat_of(p: int, share: str) -> Instance:
    """p in fortieths, and a share of the widest clip with p (1 + clip) <= 1 and clip <= 1."""
    taken = Fraction(p, 40)
    clip = Fraction(share) * min(Fraction(1), (1 - taken) / taken)
    # log(1/p) > 1 - p: a radius for every p.
    return Instance(p=taken, clip=clip, radius=1 - taken, points=[])


_POINTS = [
    ("3/10", "0"),
    ("36/100", "6/100"),
    ("44/100", "84/1000"),
    ("6/10", "84/1000"),
    ("9/10", "84/1000"),
    ("999/1000", "84/1000"),
]


@claim(
    "mdpo-ppo-flat",
    "counterexample",
    title="The clipped surrogate of PPO does not bound the divergence",
    statement=r"""Two actions, $\pi_k=(p,1-p)$, $0<p<1$, advantages $(1-p,-p)$, clip
$0<\varepsilon\le1$ with $p(1+\varepsilon)\le1$. The clipped surrogate at $q=(x,1-x)$ is constant
from $x_0=\max\{p(1+\varepsilon),1-(1-p)(1-\varepsilon)\}\le1$ on, with its maximum
$2\varepsilon p(1-p)$, up to $x=1$, where $\mathrm{KL}(q\|\pi_k)=\log\frac1p$: no radius holds for
the maximisers of all $p$. At $p=0.3$, $\varepsilon=0.2$ it is $0,0.06,0.084,0.084,0.084,0.084$ at
$x=0.3,0.36,0.44,0.6,0.9,0.999$. Where $p(1+\varepsilon)>1$ the maximum is less, and only at
$x=1$.""",
    family=Family(
        {"p": Integer(1, 39), "share": Choice("1/100", "1/5", "1/2", "9/10", "1")}, _flat_of
    ),
    named={
        "p = 3/10, clip 1/5": _clip("3/10", "1/5", "12/10", _POINTS),
        "p = 4/5, clip 1/5": _clip("4/5", "1/5", "1/5"),
        "p = 1e-12, clip 1/5": _clip("1/1000000000000", "1/5", "27"),
        "p = 1e-300, clip 1/5": _clip("1/1" + "0" * 300, "1/5", "690"),
    },
    mutants=[
        Mutant("unclipped", "<q, A>, without the clip", check=partial(_flat, clipped=False)),
        Mutant("clip-bounds-kl", "KL <= log(1 + clip)", check=partial(_flat, within=True)),
        Mutant(
            "wide",
            "any clip, p (1 + clip) > 1 as well",
            named={"p = 9/10, clip 1/5": _clip("9/10", "1/5", "1/10")},
        ),
    ],
    bound=lambda p, clip: 2 * clip * p * (1 - p),
    proof="text",
)
def ppo_flat(instance: Instance) -> list[Measurement]:
    return _flat(instance)


CLAIMS = (trpo_forward, ppo_flat)
