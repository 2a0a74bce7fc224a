r"""How fast exact mirror descent approaches the optimum, by its steps.

The problem: rewards in [0, 1], start law rho, pi* deterministic and optimal, d* its occupancy,
D_0 = E_{d*} KL(pi*, pi_0), gap_k = V*(rho) - V^k(rho); the bounds are those of `bounds.py`.

    constant eta                           [D_0/eta + E_{d*}(V* - V^0)] / ((k+1)(1-discount))
                                                                              mdpo-rate-sublinear
    eta_{k+1} >= eta_k theta/(theta-1)     (1 - 1/theta)^k [gap_0 + ...]      mdpo-rate-geometric
    eta_k >= log(1/pi_k(A_k)) / (c_0 discount^{2(k+1)})
                                           discount^k [max gap_0 + ...]       mdpo-rate-gamma

Iterates are computed to sixty digits, where steps need no cap. Proofs:
docs/theory/mirror_descent.md. References: Agarwal et al., JMLR 2021; Xiao, JMLR 2022;
Johnson et al., NeurIPS 2023.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice
from rltheory.foundations.rationals import Planner
from rltheory.foundations.soft_planner import CONTEXT
from rltheory.mirror_descent.bounds import gamma_bound, geometric_bound, sublinear_bound
from rltheory.mirror_descent.exact_iterates import ExactIterates, at_most, kl, logs_of, real
from rltheory.mirror_descent.instances import bandit, chain, run_case, run_family

__all__ = ["CLAIMS"]

_ITERATIONS = 8
_HALF = Fraction(1, 2)


class _Run:
    """What the bounds are formed from, to sixty digits."""

    def __init__(self, i: Instance) -> None:
        self.model = ExactIterates(i.mdp)
        planner = Planner(i.mdp)
        best, policy = planner.optimum()
        self.best = [real(x) for x in best]
        self.first = [logs_of(row) for row in i.init]
        self.count = int(i.iterations) if "iterations" in i else _ITERATIONS
        one, none = CONTEXT.mpf(0), CONTEXT.ninf
        self.optimal = [[one if a == b else none for a in planner.actions] for b in policy]
        table = [[real(int(a == b)) for a in planner.actions] for b in policy]
        self.start = [real(x) for x in i.start]
        self.occupancy = self.model.occupancy(table, i.start)
        self.divergence = CONTEXT.fsum(
            d * kl(p, q)
            for d, p, q in zip(self.occupancy, self.optimal, self.first, strict=True)
            if d != 0
        )
        self.discount = self.model.discount
        self.longest = 1 / (1 - self.discount)

    def values(self, steps: Callable[..., Any]) -> list[Any]:
        return self.model.run(self.first, self.count, steps)[1]

    def gaps(self, value: Any) -> list[Any]:
        return [x - y for x, y in zip(self.best, value, strict=True)]

    def weighted_gap(self, law: Any, value: Any) -> Any:
        return CONTEXT.fdot(law, self.gaps(value))


# --- mdpo-rate-sublinear ------------------------------------------------------------------


def slow_bandit(p: str, iterations: int, discount: Any = 0) -> Callable[[], Instance]:
    """Two arms that pay 1/2 and 0, the first taken with probability p: the bound is nearly met.

    With l = log(1/p) and eta such that iterations * eta / 2 = l - log l the first arm has
    probability 1 / (1 + (1 - p) l) in the end. At 0 iterations eta is long.
    """

    def make() -> Instance:
        mp = CONTEXT
        log = mp.log(1 / real(Fraction(p)))
        step = (
            Fraction(10**6) if not iterations else _fraction(2 * (log - mp.log(log)) / iterations)
        )
        return run_case(
            bandit([_HALF, 0], discount),
            init=[[p, 1 - Fraction(p)]],
            step=step,
            iterations=iterations,
        )

    return make


def _fraction(x: Any) -> Fraction:
    return Fraction(str(CONTEXT.nstr(x, 30)))


def _sublinear(
    i: Instance, power: int = 1, share: Any = 1, second_share: Any = 1
) -> list[Measurement]:
    run, eta = _Run(i), real(i.step)
    values = run.values(lambda *_: eta)
    loss = run.weighted_gap(run.occupancy, values[0])
    found = []
    for k, value in enumerate(values):
        gap = run.weighted_gap(run.start, value)
        first = sublinear_bound(k, eta, run.divergence, loss, run.discount)
        second = sublinear_bound(k, eta, run.divergence, run.longest, run.discount)
        late = share / real(k + 1) ** (power - 1)
        sizes = [run.longest]
        for bound, what in ((late * first, "first"), (late * second_share * second, "second")):
            found.append(
                at_most(gap, bound, f"{what} bound, k = {k}", *sizes, trivial=1 / (1 - _g(i)))
            )
    return found


def _g(i: Instance) -> Fraction:
    return Fraction(i.mdp.discount)


_TINY = "1/1" + "0" * 300
_SMALL = "1/1" + "0" * 12


@claim(
    "mdpo-rate-sublinear",
    "inequality",
    title="Mirror descent with a constant step: a gap of order 1/K",
    statement=r"""Rewards in $[0,1]$, constant $\eta>0$, $\pi_{k+1}\propto\pi_ke^{\eta Q^k}$, any
start law $\rho$, $\pi^*$ deterministic and optimal with occupancy $d^*$,
$D_0=E_{s\sim d^*}\mathrm{KL}(\pi^*(s)\|\pi_0(s))$. For every $K\ge0$
$$V^*(\rho)-V^K(\rho)\le\frac1{(K+1)(1-\gamma)}\Bigl[\frac{D_0}\eta+E_{d^*}(V^*-V^0)\Bigr]\le
\frac1{K+1}\Bigl[\frac{D_0}{\eta(1-\gamma)}+\frac1{(1-\gamma)^2}\Bigr],$$
and $D_0\le\log A$ for the uniform $\pi_0$. The first bound cannot be improved for any $K$, its
constant included: with two arms, $\pi_0(a^*)=p$, $\ell=\log\frac1p$ and
$K\eta\Delta=\ell-\log\ell$ its ratio to the gap tends to 1 as $p\to0$.""",
    source="this project; Agarwal et al., JMLR 2021; Xiao, JMLR 2022 (shape)",
    provenance=("paper", "derived"),
    family=run_family(),
    named={
        "slow bandit, p = 1e-300, K = 0": slow_bandit(_TINY, 0),
        "slow bandit, p = 1e-300, K = 1": slow_bandit(_TINY, 1),
        "slow bandit, p = 1e-300, K = 5": slow_bandit(_TINY, 5),
        "slow bandit, p = 1e-300, K = 100": slow_bandit(_TINY, 100),
        "slow bandit, p = 1e-12, K = 5": slow_bandit(_SMALL, 5),
    },
    mutants=[
        Mutant("squared", "1/(K+1)^2", check=partial(_sublinear, power=2)),
        Mutant(
            "four-fifths",
            "4/5 of the first bound",
            check=partial(_sublinear, share=real(Fraction(4, 5))),
            named={"slow bandit, p = 1e-12, K = 5": slow_bandit(_SMALL, 5)},
        ),
    ],
    bound=sublinear_bound,
    proof="text",
)
def rate_sublinear(instance: Instance) -> list[Measurement]:
    return _sublinear(instance)


# --- mdpo-rate-geometric ------------------------------------------------------------------


def _geometric(i: Instance, constant: bool = False, shorter: bool = False) -> list[Measurement]:
    # Every state starts with some probability, as the theorem asks.
    S = i.mdp.n_states
    i = Instance(**{**i, "start": [(Fraction(x) + Fraction(1, S)) / 2 for x in i.start]})
    run = _Run(i)
    ratio = max(x / y for x, y in zip(run.occupancy, run.start, strict=True))
    mismatch = run.longest * ratio
    # The proof needs d* <= mismatch (1 - discount) rho, so that a larger number serves where the
    # least one is 1, which is discount 0 and models that end at once.
    mismatch = max(mismatch, real(Fraction(11, 10)))
    growth = real(1) if constant else mismatch / (mismatch - 1)
    first = real(i.step)
    values = run.values(lambda k, *_: first * growth**k)
    gap = run.weighted_gap(run.start, values[0])
    found = []
    for k in range(1, len(values)):
        bound = geometric_bound(
            k + 1 if shorter else k, mismatch, first, run.divergence, gap, run.discount
        )
        measured = run.weighted_gap(run.start, values[k])
        found.append(at_most(measured, bound, f"k = {k}", run.longest, trivial=1 / (1 - _g(i))))
    return found


def _one_step(discount: str) -> Callable[[], Instance]:
    return slow_bandit(_TINY, 1, Fraction(discount))


def _small_gap() -> Instance:
    """Two arms that differ by 1/100: at step 1 their gap shrinks like e^(-k/100)."""
    return run_case(bandit([_HALF, Fraction(49, 100)], _HALF), iterations=20)


@claim(
    "mdpo-rate-geometric",
    "inequality",
    title="Mirror descent with geometric steps: a gap that shrinks geometrically",
    statement=r"""Rewards in $[0,1]$, $\rho>0$ everywhere, $\pi^*$ deterministic and optimal with
occupancy $d^*$, and $\vartheta>1$ with $d^*\le\vartheta(1-\gamma)\rho$ (the least such number is
$\frac1{1-\gamma}\max_s\frac{d^*(s)}{\rho(s)}$, which is 1 at $\gamma=0$). If
$\eta_{k+1}\ge\frac\vartheta{\vartheta-1}\eta_k$, then for every $k$
$$V^*(\rho)-V^k(\rho)\le\Bigl(1-\frac1\vartheta\Bigr)^k\Bigl(V^*(\rho)-V^0(\rho)+
\frac{D_0}{(1-\gamma)\eta_0(\vartheta-1)}\Bigr).$$
In one state with two arms, $\pi_0(a^*)=p$, $\ell=\log\frac1p$ and $\eta_0\Delta=\ell-\log\ell$ the
ratio at $k=1$ tends to 1 as $p\to0$.""",
    source="this project; Xiao, JMLR 2022 (shape)",
    provenance=("paper", "derived"),
    family=run_family(),
    named={
        "one state, discount 1/2": _one_step("1/2"),
        "one state, discount 99/100": _one_step("99/100"),
        "a small gap": _small_gap,
    },
    mutants=[
        Mutant("constant", "constant steps", check=partial(_geometric, constant=True)),
        Mutant("one-more", "(1 - 1/theta)^(k+1)", check=partial(_geometric, shorter=True)),
    ],
    bound=geometric_bound,
    proof="text",
)
def rate_geometric(instance: Instance) -> list[Measurement]:
    return _geometric(instance)


# --- mdpo-rate-gamma ----------------------------------------------------------------------


def _gamma(i: Instance, constant: bool = False, power: int = 1) -> list[Measurement]:
    run = _Run(i)
    g, slack = run.discount, real(i.slack)
    first: list[Any] = []

    def step(k: int, q: Any, logs: Any) -> Any:
        if constant and first:
            return first[0]
        needed = CONTEXT.mpf(0)
        for values, row in zip(q, logs, strict=True):
            best = [x for x, y in zip(row, values, strict=True) if y == max(values)]
            needed = max(needed, -CONTEXT.log(CONTEXT.fsum(map(CONTEXT.exp, best))))
        first.append(needed / (slack * g ** (2 * (k + 1))))
        return first[-1]

    values = run.values(step)
    gap = max(run.gaps(values[0]))
    found = []
    for k in range(1, len(values)):
        bound = gamma_bound(real(power * k), slack, gap, g)
        measured = max(run.gaps(values[k]))
        found.append(at_most(measured, bound, f"k = {k}", run.longest, trivial=1 / (1 - _g(i))))
    return found


def _with_slack() -> Family:
    runs = run_family(discounts=("1/10", "3/10", "7/10", "9/10", "97/100"))

    def build(slack: str, **rest: Any) -> Instance:
        return Instance(**runs.instance(rest), slack=Fraction(slack))

    space = {**runs.space, "slack": Choice("1/1000000", "1/10", "1", "10")}
    return Family(space, build)


def slow_chain(discount: str, **more: Any) -> Instance:
    """A corridor that policy iteration repairs one state a round, and nearly nobody walks."""
    length = 4
    rare = Fraction(1, 10**12)
    init = [[rare, 1 - rare]] * length + [[_HALF, _HALF]]
    mdp = chain(length, Fraction(discount), Fraction(1, 10**6))
    return run_case(mdp, init=init, iterations=length - 1, **more)


@claim(
    "mdpo-rate-gamma",
    "inequality",
    title="Mirror descent with adaptive steps: the rate of policy iteration",
    statement=r"""Rewards in $[0,1]$, $\gamma>0$, $c_0>0$. With $\mathcal A_k(s)$ a nonempty set of
maximisers of $Q^k(s,\cdot)$, if for every $k$
$$\eta_k\ge\frac1{c_0\gamma^{2(k+1)}}\max_s\log\frac1{\pi_k(\mathcal A_k(s)\mid s)},\quad\text{then}
\quad\|V^*-V^k\|_\infty\le\gamma^k\Bigl(\|V^*-V^0\|_\infty+\frac{\gamma c_0}{1-\gamma}\Bigr)$$
for every $k$. The ratio tends to 1, for several $k$, on a corridor that policy iteration repairs
one state a round, as $c_0\to0$.""",
    source="this project; Johnson, Pike-Burke and Rebeschini, NeurIPS 2023 (shape)",
    provenance=("paper", "derived"),
    family=_with_slack(),
    named={
        "corridor, discount 9/10": lambda: slow_chain("9/10", slack=Fraction(1, 10**6)),
        "corridor, discount 1/2": lambda: slow_chain("1/2", slack=Fraction(1, 10**6)),
        "a small gap": lambda: Instance(**_small_gap(), slack=Fraction(1)),
    },
    mutants=[
        Mutant("constant", "eta_0 for every step", check=partial(_gamma, constant=True)),
        Mutant("squared", "discount^(2k)", check=partial(_gamma, power=2)),
    ],
    bound=gamma_bound,
    proof="text",
)
def rate_gamma(instance: Instance) -> list[Measurement]:
    return _gamma(instance)


# --- mdpo-rate-sem ------------------------------------------------------------------------


@claim(
    "mdpo-rate-sem",
    "context",
    title="The rates of uniform TRPO",
    statement=r"""The first analysis of exact mirror descent policy optimisation, with decaying
steps: a gap of order $\tilde O(1/\sqrt N)$ after $N$ iterations without regularisation and
$\tilde O(\frac1{\lambda N})$ with it. Shape as recalled, constants not; for exact evaluation
`mdpo-rate-sublinear` and `mdpo-rate-entropy` are better, with constants and proofs.""",
    source="Shani, Efroni and Mannor, AAAI 2020",
    provenance=("reconstructed", "reconstructed"),
)
def rate_sem(instance: Instance) -> list[Measurement]:
    return []


CLAIMS = (rate_sublinear, rate_geometric, rate_gamma, rate_sem)
