r"""A proof that a solution of the relaxation is as good as it says.

From below: the rates, as the fractions they are, scaled down by what they exceed the time of an arm
or the budget of plays, are feasible. From above: for every charge l >= 0 of a play

    LP <= k l + sum_i max(0, g_i(l)),     g_i(l) the best mean of p_i - l over the cycles of arm i,

and g_i(l) is proved by potentials, h_i(s) + pay - g_i <= h_i(t) on every play and rest. Nothing
here uses hulls or types: only the moves of the arms. Claim ``lsd-relax-equal``.
"""

from dataclasses import dataclass
from fractions import Fraction

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arm_cycles import BestCycle, best_cycle
from rltheory.lsd_bandits.arms import OrderedArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.plans import Plan, Relaxation

__all__ = ["RelaxationBracket", "bracket_relaxation", "price_bound"]


@dataclass(frozen=True, repr=False)
class RelaxationBracket:
    """What is proved about LP, the value of the relaxation over all cycles of the arms.

    Attributes
    ----------
    lower, upper : Fraction
        lower <= LP <= upper.
    charge : Fraction
        The charge of a play at which `upper` is proved.
    best : tuple of N BestCycle
        The gain of each arm under the charge, with its potentials.
    value : Fraction or float
        What the solution says.
    """

    lower: Fraction
    upper: Fraction
    charge: Fraction
    best: tuple[BestCycle, ...]
    value: Fraction | float

    @property
    def gap(self) -> Fraction:
        """upper - lower; 0 where the solution is proved optimal."""
        return self.upper - self.lower

    def __repr__(self) -> str:
        if self.lower == self.upper == self.value:
            return f"RelaxationBracket({self.value} = value = LP)"
        ends = f"{float(self.lower):.12g} <= LP <= {float(self.upper):.12g}"
        return f"RelaxationBracket({ends}, gap {float(self.gap):.3g})"


def bracket_relaxation(relax: Relaxation) -> RelaxationBracket:
    """Check a solution in exact arithmetic and bracket LP by it and by its multiplier.

    Raises
    ------
    ModelError
        If a plan is no cycle of its arm, a rate or the multiplier is negative, or potentials do
        not prove a gain.
    """
    bandit = relax.bandit
    excess = Fraction(1)
    for i, arm in enumerate(bandit.arms):
        taken = Fraction(0)
        for plan, rate in zip(relax.plans[i], relax.rates[i], strict=True):
            _check_plan(arm, plan, i)
            if not rate >= 0:
                raise ModelError(f"arms[{i}]: the rate of {plan.name()} is {rate}")
            taken += Fraction(rate) * plan.period
        excess = max(excess, taken)
    excess = max(excess, Fraction(_total(relax, plays=True), bandit.plays))
    lower = _total(relax, plays=False) / excess
    charge = Fraction(relax.multiplier)
    if charge < 0:
        raise ModelError(f"the multiplier is {relax.multiplier}; a price is at least 0")
    best = tuple(best_cycle(arm, charge) for arm in bandit.arms)
    for i, (arm, cycle) in enumerate(zip(bandit.arms, best, strict=True)):
        _check_potentials(arm, charge, cycle, i)
    upper = price_bound(bandit, charge, best)
    return RelaxationBracket(lower, upper, charge, best, relax.value)


def price_bound(bandit: LSDBandit, charge: Fraction, best: tuple[BestCycle, ...]) -> Fraction:
    """k l + sum_i max(0, g_i(l))."""
    return bandit.plays * charge + sum((max(Fraction(0), b.gain) for b in best), Fraction(0))


def _total(relax: Relaxation, plays: bool) -> Fraction:
    return sum(
        (
            Fraction(rate) * (plan.n_plays if plays else plan.reward(arm))
            for arm, plans, rates in zip(relax.bandit.arms, relax.plans, relax.rates, strict=True)
            for plan, rate in zip(plans, rates, strict=True)
        ),
        Fraction(0),
    )


def _check_plan(arm: OrderedArm, plan: Plan, i: int) -> None:
    following = (*plan.states[1:], plan.states[0])
    for s, played, t in zip(plan.states, plan.plays, following, strict=True):
        if (arm.play_next if played else arm.rest_next)[s] != t:
            raise ModelError(f"arms[{i}]: {plan.name()} is no cycle; {s} does not lead to {t}")


def _check_potentials(arm: OrderedArm, charge: Fraction, best: BestCycle, i: int) -> None:
    h, g = best.potentials, best.gain
    for s, p in enumerate(arm.payoffs):
        if h[s] + p - charge - g > h[arm.play_next[s]] or h[s] - g > h[arm.rest_next[s]]:
            raise ModelError(f"arms[{i}]: the potentials do not prove the gain {g} at {s}")
