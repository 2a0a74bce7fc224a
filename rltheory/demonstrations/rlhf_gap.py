r"""The gap of demonstration-regularised RLHF, and what happens without the regularisation.

The problem: `rltheory.demonstrations.rlhf_bound` has the statement. Here all is exact, or to sixty
digits: episodes are listed, laws are fractions, and the policy is any policy, with eps_RL computed
as what it lacks of the regularised optimum for the fitted reward.

    demo-rlhf-det       the bound, also with the expert's own gap left out on both sides
    demo-rlhf-hacking   a bandit whose reward is wrong on an arm of mass kappa/4: planning without
                        regularisation loses 1/2 for every kappa, with it some 0.015
    demo-rlhf-paper     the shape of the published theorem

The bound is attained: f = 0, expert pi*_lambda and pi_hat = the reference, whose eps_RL is largest.
Proofs: docs/theory/preferences.md.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Many
from rltheory.demonstrations.bernstein_transport import capped, phi_of, transport_bound
from rltheory.demonstrations.exact_episodes import DIGITS, Episodes, compare, real
from rltheory.demonstrations.preference_invariance import policy_of
from rltheory.demonstrations.returns_along import paying, returns_along
from rltheory.foundations.families import MOST_ACTIONS, MOST_STATES, episodic_family
from rltheory.foundations.rationals import stages_of
from rltheory.foundations.soft_planner import fraction_of
from rltheory.mdp.episodic import EpisodicMDP

__all__ = ["CLAIMS", "hacking_gap"]

_STAGES = 3
_ENTRIES = _STAGES * MOST_STATES * MOST_ACTIONS


# --- the bound ----------------------------------------------------------------------------


class _Terms:
    """Everything that the bound is made of, of one instance."""

    def __init__(self, i: Any) -> None:
        true, fitted = Episodes(i.mdp, i.start), paying(i.mdp, i.fitted)
        task, self.tau = Episodes(fitted, i.start), real(i.temperature)
        values, _, best = task.soft_optimum(i.reference, self.tau)
        played = best if i.played is None else i.played
        (paid, thought), (base, expert) = returns_along(
            i.start, (i.mdp, fitted), i.reference, i.expert
        )
        f = [x - y for x, y in zip(paid, thought, strict=True)]
        mean = _mean(base, f)
        g = [x - mean for x in f]
        on = [x for p, x in zip(base, g, strict=True) if p]
        self.v = real(_mean(base, [x * x for x in g]))
        self.b, self.B = real(max(on)), real(-min(on))
        self.K = true.divergence(i.expert, i.reference)
        value = _mean(expert, paid)
        self.expert_gap = true.optimum()[0] - value
        self.lost = real(value) - real(true.value(played))
        own = task.soft_value(played, i.reference, self.tau)[0]
        self.eps = real(task.at_start(values[0])) - real(task.at_start(own))
        self.towards = real(_mean(expert, g))
        moment = DIGITS.fsum(
            real(p) * DIGITS.exp(-real(x) / self.tau) for p, x in zip(base, g, strict=True) if p
        )
        self.moment = self.tau * DIGITS.log(moment)

    def bound(self, root: int = 2, variance: bool = True, kl: bool = True) -> Any:
        """Without the expert's own gap."""
        transport = transport_bound(self.v * root / 2, self.K, self.b)
        moment = capped(self.v / self.tau * phi_of(self.B / self.tau)) if variance else 0
        return self.eps + kl * self.tau * self.K + transport + moment

    def sharp(self) -> Any:
        return self.eps + self.tau * self.K + self.towards + self.moment


def _mean(law: list[Fraction], x: list[Fraction]) -> Fraction:
    return sum((p * y for p, y in zip(law, x, strict=True)), Fraction(0))


def _compare(i: Any, measured: Any, bound: Any, what: str) -> Measurement:
    return compare(measured, bound, what, trivial=i.mdp.horizon, certified=True)


def _gap(i: Any) -> list[Measurement]:
    t = _Terms(i)
    return [
        _compare(i, t.lost, t.bound(), "below the expert"),
        _compare(i, real(t.expert_gap) + t.lost, real(t.expert_gap) + t.bound(), "gap"),
        _compare(i, t.lost, t.sharp(), "below the expert, by moments of f"),
    ]


def _mutated(i: Any, **changed: Any) -> Measurement:
    t = _Terms(i)
    return _compare(i, t.lost, t.bound(**changed), "below the expert")


# --- instances of the bound ---------------------------------------------------------------


def _family() -> Family:
    models = episodic_family(_STAGES)

    def build(
        temperature: str,
        fitted: list[float],
        same: bool,
        laws: list[int],
        expert: list[int],
        played: list[int],
        plays: str,
        **rest: Any,
    ) -> Instance:
        built = models.instance(rest)
        H, S, A = built.mdp.horizon, built.mdp.n_states, built.mdp.n_actions
        reference = policy_of(laws, H, S, A)

        def within(weights: list[int]) -> Any:
            """A policy that only does what the reference allows."""
            rows = policy_of(weights, H, S, A)
            return [[_allowed(rows[h][s], reference[h][s]) for s in range(S)] for h in range(H)]

        true = [stage.r for stage in stages_of(built.mdp)]
        values = [Fraction(x) for x in fitted]
        table = [
            [[values[(h * MOST_STATES + s) * MOST_ACTIONS + a] for a in range(A)] for s in range(S)]
            for h in range(H)
        ]
        others = {"best": None, "reference": reference, "another": within(played)}
        return Instance(
            mdp=built.mdp,
            start=built.start,
            temperature=Fraction(temperature),
            reference=reference,
            expert=within(expert),
            fitted=true if same else table,
            played=others[plays],
        )

    weights = Choice(0, 1, 1, 2, 5, 100)
    return Family(
        dict(models.space)
        | {
            "temperature": Choice("1/1000000", "1/8", "1", "4", "16", "1000000"),
            "fitted": Many(Dyadic(0, 1, 3), _ENTRIES),
            "same": Choice(False, False, False, True),
            "laws": Many(weights, _ENTRIES),
            "expert": Many(weights, _ENTRIES),
            "played": Many(weights, _ENTRIES),
            "plays": Choice("best", "best", "reference", "another"),
        },
        build,
    )


def _allowed(row: list[Fraction], law: list[Fraction]) -> list[Fraction]:
    kept = [x if w else Fraction(0) for x, w in zip(row, law, strict=True)]
    return [x / sum(kept) for x in kept] if any(kept) else law


def _bandit(
    true: list[Any],
    fitted: list[Any],
    reference: list[Any],
    expert: list[Any],
    temperature: Any,
    played: Any = None,
) -> Instance:
    A = len(true)
    return Instance(
        mdp=EpisodicMDP([[[1]] * A], [[Fraction(x) for x in true]], 1, exact=True),
        start=[Fraction(1)],
        temperature=Fraction(temperature),
        reference=[[[Fraction(x) for x in reference]]],
        expert=[[[Fraction(x) for x in expert]]],
        fitted=[[[Fraction(x) for x in fitted]]],
        played=None if played is None else [[[Fraction(x) for x in played]]],
    )


def _attained() -> Instance:
    """f = 0, the expert is pi*_lambda to sixty digits, and the reference is played."""
    p = fraction_of(1 / (1 + DIGITS.exp(-1)))
    return _bandit([1, 0], [1, 0], ["1/2", "1/2"], [p, 1 - p], 1, played=["1/2", "1/2"])


def _underestimated() -> Instance:
    """Rewards a little too small, much regularisation, and the reference is played."""
    return _bandit(
        [1, 0], ["9/10", "1/10"], ["1/2", "1/2"], ["13/25", "12/25"], 10, played=["1/2", "1/2"]
    )


def _swapped() -> Instance:
    return _bandit([1, 0], [0, 1], ["99/100", "1/100"], [1, 0], "1/20")


@claim(
    "demo-rlhf-det",
    "inequality",
    title="The gap of RLHF with demonstrations, without a concentrability coefficient",
    statement=r"""$f=r^*-\hat r$ along trajectories, $\bar f=E_{\pi^{BC}}f$,
$v=\mathrm{Var}_{\pi^{BC}}f$, $B=\max(\bar f-f)$ and $b=\max(f-\bar f)$ on the support,
$K=\mathrm{KL}_{traj}(\pi^E\|\pi^{BC})$. If $\hat\pi$ is $\varepsilon_{RL}$-optimal for the
$\lambda$-regularised model with rewards $\hat r$ and reference $\pi^{BC}$:
$$V^*(r^*)-V^{\hat\pi}(r^*)\le\varepsilon_E+\varepsilon_{RL}+\lambda K
+\Big(\sqrt{2vK}+\frac{bK}3\Big)+\frac v\lambda\varphi\Big(\frac B\lambda\Big),$$
$\varepsilon_E=V^*(r^*)-V^{\pi^E}(r^*)$, $\varphi(x)=(e^x-1-x)/x^2$. The same holds with
$E_{\pi^E}(f-\bar f)$ and $\lambda\log E_{\pi^{BC}}e^{-(f-\bar f)/\lambda}$ in place of the last
two terms.""",
    source="this project; the mechanism: Tiapkin et al., ICLR 2024, arXiv 2310.17303, section 5",
    provenance=("paper", "derived"),
    family=_family(),
    named={
        "attained": _attained,
        "underestimated": _underestimated,
        "swapped": _swapped,
    },
    mutants=[
        Mutant("no-variance", "without (v/lambda) phi", check=partial(_mutated, variance=False)),
        Mutant("no-kl", "without lambda K", check=partial(_mutated, kl=False)),
        Mutant("no-root", "without sqrt(2 v K)", check=partial(_mutated, root=0)),
    ],
    bound=lambda expert, eps_rl, lam, K, v, b, B: (
        expert
        + eps_rl
        + lam * K
        + float(transport_bound(v, K, b))
        + float(v / lam * phi_of(DIGITS.mpf(B) / lam))
    ),
    proof="text",
)
def rlhf_det(instance: Any) -> list[Measurement]:
    return _gap(instance)


# --- reward hacking -----------------------------------------------------------------------


def hacking_gap(kappa: Any, temperature: Any, reference: list[Any] | None = None) -> Any:
    """Gap of the regularised plan for (1/2, 1, 0, 0, 0) where (1/2, 0, 0, 0, 0) is true, a real."""
    lam = real(temperature)
    law = _law_of_five(kappa) if reference is None else reference
    weights = [real(w) * DIGITS.exp(real(x) / lam) for w, x in zip(law, _FITTED, strict=True)]
    return (1 - weights[0] / DIGITS.fsum(weights)) / 2


_FITTED = [Fraction(1, 2), Fraction(1), Fraction(0), Fraction(0), Fraction(0)]
_TRUE = [Fraction(1, 2)] + [Fraction(0)] * 4


def _law_of_five(kappa: Any) -> list[Fraction]:
    k = Fraction(kappa)
    return [1 - k] + [k / 4] * 4


def _hacking(i: Any, uniform: bool = False) -> list[Measurement]:
    law = _law_of_five(i.kappa)
    case = _bandit(_TRUE, _FITTED, law, [1, 0, 0, 0, 0], i.temperature)
    t = _Terms(case)
    reference = [Fraction(1, 5)] * 5 if uniform else law
    gap = hacking_gap(i.kappa, i.temperature, reference)
    unregularised = _TRUE[0] - _TRUE[max(range(5), key=_FITTED.__getitem__)]
    found = [
        _compare(case, gap, t.bound(), "regularised"),
        Measurement(Fraction(1, 2), unregularised, what="what planning without it loses at least"),
    ]
    if i.most is not None:
        found.append(
            compare(gap, i.most, "regularised, in numbers", trivial=unregularised, certified=True)
        )
    return found


def _five_arms(kappa: str, temperature: str, most: str | None = None) -> Callable[[], Instance]:
    return lambda: Instance(
        kappa=Fraction(kappa),
        temperature=Fraction(temperature),
        most=None if most is None else Fraction(most),
    )


@claim(
    "demo-rlhf-hacking",
    "separation",
    title="A wrong reward is hacked without regularisation, and not with it",
    statement=r"""Bandit with five arms, $\pi^{BC}=(1-\kappa,\frac\kappa4,\dots,\frac\kappa4)$, the
expert plays arm 0, $r^*=(\frac12,0,0,0,0)$, $\hat r=r^*+1\{\text{arm }1\}$. The best arm for
$\hat r$ has gap $\frac12$ for every $\kappa$. The plan regularised towards $\pi^{BC}$ has gap
$\frac\kappa8\,\frac{e^{1/\lambda}+3}{(1-\kappa)e^{1/2\lambda}+\frac\kappa4(e^{1/\lambda}+3)}$,
at most the bound of `demo-rlhf-det`: at $\kappa=0.01$ at most 0.01525, 0.00485, 0.00435 for
$\lambda=0.2,0.5,1$.""",
    source="this project",
    provenance=("derived", "derived"),
    family=Family(
        {
            "kappa": Choice("1/1000000", "1/1000", "1/100", "1/10", "1/2"),
            "temperature": Choice("1/20", "1/5", "1/2", "1", "2", "1000000"),
        },
        lambda kappa, temperature: _five_arms(kappa, temperature)(),
    ),
    named={
        "kappa 0.01, lambda 0.2": _five_arms("1/100", "1/5", "0.01525"),
        "kappa 0.01, lambda 0.5": _five_arms("1/100", "1/2", "0.00485"),
        "kappa 0.01, lambda 1": _five_arms("1/100", "1", "0.00435"),
        "kappa 0.001, lambda 0.5": _five_arms("1/1000", "1/2", "0.00055"),
    },
    mutants=[
        Mutant("uniform", "the uniform law as reference", check=partial(_hacking, uniform=True)),
        Mutant(
            "little",
            "lambda = 0.05 suffices",
            check=_hacking,
            named={"kappa 0.01, lambda 0.05": _five_arms("1/100", "1/20", "0.01525")},
        ),
    ],
    bound=lambda kappa, lam: float(hacking_gap(Fraction(kappa), Fraction(lam))),
    proof="text",
)
def rlhf_hacking(instance: Any) -> list[Measurement]:
    return _hacking(instance)


@claim(
    "demo-rlhf-paper",
    "context",
    title="The published theorem on RLHF with demonstrations",
    statement=r"""DRRL's theorem has the architecture of `demo-rlhf-det` with a general link,
coefficients built from $\inf\sigma'$, and a concentrability-type coefficient of the expert under
the sampling policy. With $\pi^{BC}$ as sampling policy it gives a gap of $O(\varepsilon)$ once the
numbers of demonstrations and of preferences exceed thresholds polynomial in $H,S,A,\zeta$ over
$\varepsilon$ and over $\varepsilon^2$. Its constants are not used here.""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303, section 5",
    provenance=("reconstructed", "reconstructed"),
)
def rlhf_paper(instance: Any) -> list[Measurement]:
    return []


CLAIMS = (rlhf_det, rlhf_hacking, rlhf_paper)
