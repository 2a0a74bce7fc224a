r"""Everything that is known about one bandit, from the guarantee up to the relaxation, exactly.

    c_{N,k} LP  <=  A(x)  <=  E[average]  <=  g*  <=  LP

LP is the value of the relaxation and x its solution, A(x) what a round of the mirrored schedule
earns in virtual payoffs, E[average] what the schedule really earns per round in the long run, and
g* the optimum (claims ``lsd-corr-gap``, ``lsd-round-ratio``, ``lsd-relax-upper``). With k = 1 the
derandomised schedule stands between A(x) and g* as well (claim ``lsd-derandomise``).
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from rltheory.errors import ModelError
from rltheory.lsd_bandits.averages import Average
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.derandomize import DerandomizedSchedule, derandomized_schedule
from rltheory.lsd_bandits.expected_average import expected_average
from rltheory.lsd_bandits.optimal import GainResult, optimal_gain
from rltheory.lsd_bandits.picture import schedule_svg
from rltheory.lsd_bandits.plans import Relaxation
from rltheory.lsd_bandits.relaxation import concave_relaxation
from rltheory.lsd_bandits.schedule import MOST_PERIOD, Schedule, interleaved_schedule
from rltheory.lsd_bandits.virtual_value import guarantee, virtual_value

__all__ = ["LSDBounds", "lsd_bounds"]

MOST_STATES = 200_000
LONGEST = 100  # bits of a denominator that is printed


@dataclass(frozen=True, repr=False)
class LSDBounds:
    """The chain of bounds of one bandit.

    Attributes
    ----------
    bandit : LSDBandit
    relaxation : Relaxation
        LP and its solution x.
    guarantee : Fraction
        c_{N,k}.
    virtual_value : Fraction
        A(x).
    expected_average : Average
        Of the interleaved schedule: exact, or sampled where there are too many plans and offsets.
    derandomized : DerandomizedSchedule or None
        None for k > 1, and where the plans' common period is above 10^6.
    derandomized_average : Average or None
        Its reward per round in the long run.
    optimum : GainResult or None
        None where the graph of joint states has more than 200,000 states; a bracket in doubles
        where the payoffs' common denominator is too large for exact gains.
    """

    bandit: LSDBandit
    relaxation: Relaxation
    guarantee: Fraction
    virtual_value: Fraction
    expected_average: Average
    derandomized: DerandomizedSchedule | None
    derandomized_average: Average | None
    optimum: GainResult | None

    @property
    def chain(self) -> tuple[tuple[str, Fraction], ...]:
        """Name and number of every exact link, in ascending order of what is proved."""
        links = [
            ("guarantee * LP", self.guarantee * Fraction(self.relaxation.value)),
            ("A(x)", self.virtual_value),
        ]
        if isinstance(self.expected_average.value, Fraction):
            links.append(("expected average", self.expected_average.value))
        if self.optimum is not None and isinstance(self.optimum.gain, Fraction):
            links.append(("g*", self.optimum.gain))
        return (*links, ("LP", Fraction(self.relaxation.value)))

    def holds(self) -> bool:
        """Whether the numbers stand in the order that is proved."""
        derandomized = self.derandomized_average
        ends = dict(self.chain).get("g*", self.relaxation.value)
        between = derandomized is None or (
            not isinstance(derandomized.value, Fraction)
            or self.virtual_value <= derandomized.value <= ends
        )
        return between and all(x <= y for (_, x), (_, y) in pairwise(self.chain))

    def picture(self, which: str = "optimal", rounds: int = 40, seed: int = 0) -> str:
        """A schedule drawn as an SVG document: arms against time.

        Parameters
        ----------
        which : {"optimal", "derandomized", "interleaved"}
            The optimal cycle from where it begins, or a schedule from the rested state.
        rounds : int
            In 1..120.
        seed : int
            Of the interleaved schedule's plans and offsets.

        Raises
        ------
        ModelError
            If there is no such schedule, or `rounds` is out of range.
        """
        title = f"{which} schedule"
        if which == "optimal" and self.optimum is not None:
            steps = self.optimum.cycle
            run = [steps[t % len(steps)] for t in range(rounds)]
            states = [list(step.state) for step in run]
            plays = [[i in step.played for i in range(self.bandit.n_arms)] for step in run]
            title += f": {self.optimum.gain} per round"
            return schedule_svg(self.bandit, states, plays, title)
        schedule: Schedule | None = None
        if which == "derandomized" and self.derandomized is not None:
            schedule = self.derandomized
        elif which == "interleaved":
            schedule = interleaved_schedule(self.relaxation, seed)
        if schedule is None:
            raise ModelError(
                f"there is no schedule {which!r} here; it must be 'interleaved', 'derandomized' "
                "(one play per round, no long common period) or 'optimal' (where the optimum was "
                "computed)"
            )
        seen = schedule.plays(rounds)
        return schedule_svg(self.bandit, seen.states, seen.plays, title)

    def __repr__(self) -> str:
        lines = []
        for name, number in self.rows():
            lines.append(f"{name:<22} {number}")
        return "\n".join(lines)

    def rows(self) -> list[tuple[str, str]]:
        """What `repr` and the command line print: a name and a number with its decimals."""
        links = dict(self.chain)
        out = [(name, _told(links.pop(name))) for name in ("guarantee * LP", "A(x)")]
        out.append(("expected average", _told(self.expected_average)))
        if self.derandomized_average is not None:
            out.append(("derandomized", _told(self.derandomized_average)))
        elif self.bandit.plays == 1:
            out.append(("derandomized", f"not computed: common period above {MOST_PERIOD:,}"))
        if "g*" in links:
            optimum = _told(links["g*"])
        elif self.optimum is not None:
            optimum = f"in [{self.optimum.lower!r}, {self.optimum.upper!r}]"
        else:
            optimum = f"not computed: {self.bandit.n_states:,} joint states"
        out.append(("g*", optimum))
        out.append(("LP", _told(links["LP"])))
        return out


def lsd_bounds(bandit: LSDBandit) -> LSDBounds:
    """All bounds of a monotone bandit that starts rested.

    Parameters
    ----------
    bandit : LSDBandit
        Monotone; idling allowed.

    Returns
    -------
    LSDBounds

    Raises
    ------
    ModelError
        If the bandit is not monotone (`block_commit_schedule` serves the others), or must not
        idle.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bounds = rlt.lsd_bounds(rlt.LSDBandit([rlt.LSDArm.blocking(d) for d in (2, 3, 6)]))
    >>> bounds
    guarantee * LP         19/27 = 0.703704
    A(x)                   13/18 = 0.722222
    expected average       13/18 = 0.722222
    derandomized           5/6 = 0.833333
    g*                     7/8 = 0.875000
    LP                     1
    >>> bounds.holds()
    True
    """
    bandit.need_monotone()
    relaxation = concave_relaxation(bandit, exact=True)
    derandomized = _derandomized(relaxation) if bandit.plays == 1 else None
    return LSDBounds(
        bandit=bandit,
        relaxation=relaxation,
        guarantee=guarantee(bandit.n_arms, bandit.plays),
        virtual_value=Fraction(virtual_value(relaxation)),
        expected_average=expected_average(relaxation),
        derandomized=derandomized,
        derandomized_average=derandomized.average() if derandomized is not None else None,
        optimum=_optimum(bandit) if bandit.n_states <= MOST_STATES else None,
    )


def _derandomized(relaxation: Relaxation) -> DerandomizedSchedule | None:
    try:
        return derandomized_schedule(relaxation)
    except ModelError:  # of a monotone bandit with k = 1: the plans' common period
        return None


def _optimum(bandit: LSDBandit) -> GainResult:
    try:
        return optimal_gain(bandit, exact=True)
    except ModelError:  # the payoffs' common denominator; what else is wrong is told again
        return optimal_gain(bandit)


def _told(number: Fraction | Average) -> str:
    if isinstance(number, Average):
        if not isinstance(number.value, Fraction):
            return f"{number.value:.6f} +- {number.half_width:.2g} ({number.method})"
        number = number.value
    if number.denominator == 1:
        return str(number)
    if number.denominator.bit_length() > LONGEST:
        return f"... = {float(number):.6f}"
    return f"{number} = {float(number):.6f}"
