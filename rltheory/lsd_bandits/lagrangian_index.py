r"""The Lagrangian (Whittle-type) index of an LSD arm, and the policy that ranks arms by it.

One arm alone, every play charged l: the average-reward problem with rewards p(s) - l for a play, 0
for a rest. The index of state s is the charge at which play and rest are equally good there; with
several arms the index policy plays the k arms of the largest indices, those of index 0 or less left
out where idling is allowed.

What is good in the average-reward problem is decided by the bias, where gains agree: with gain g,
bias h and the next term w of the discounted value g/rho + h + rho w + ... (rho the interest rate),

    g(s) = g(next),    h(s) = r - g + h(next),    w(s) = -h(s) + w(next),

each summing to 0 over a cycle from h on, an action is better in s if (g(next), r + h(next),
w(next)) is lexicographically larger (Veinott 1969), and policy iteration ends at the largest h. All
terms of a policy are linear in l; so a policy is optimal on an interval of charges whose ends are
roots of linear functions, and the line is cut into finitely many such intervals, in fractions. An
arm is *indexable* if the set of states in which rest is optimal grows with l over these intervals.

For l < -M play is the only optimal action everywhere: a rest forgoes -l, and what it wins is at
most 1 in each of M plays. For l > 1 it is rest: a play costs more than it pays. LSD arms
are indexable whatever they pay (claim ``lsd-indexable``). The index policy keeps no constant share
of g*, not even of two monotone arms (claim ``lsd-index-unbounded``); docs/theory/lsd_index.md has
what else was found. Source: Whittle, Restless bandits, 1988.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, count

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm, OrderedArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.periodic_runs import PeriodicRun, Rule, run_until_repeated

__all__ = ["ChargeInterval", "PlayIndex", "index_average", "index_rule", "play_index"]

Terms = tuple[list[Fraction], list[Fraction], list[Fraction]]
"""(g, h, w) of all states."""


@dataclass(frozen=True)
class ChargeInterval:
    """Charges on which the same actions are optimal.

    Attributes
    ----------
    low, high : Fraction
    gain : tuple of 2 Fraction
        (a, b): the optimal gain is a + b l; -b is the rate of plays.
    best : tuple of str, length S
        In each state "play", "rest", or "both" where they are equally good.
    """

    low: Fraction
    high: Fraction
    gain: tuple[Fraction, Fraction]
    best: tuple[str, ...]


@dataclass(frozen=True)
class PlayIndex:
    """The index of every state of an arm.

    Attributes
    ----------
    arm : LSDArm
    values : tuple of Fraction, length S
        By state, in the arm's order -M, ..., -1, 1, ..., R: the largest charge below which play is
        the only optimal action.
    intervals : tuple of ChargeInterval
        From below -M to above 1, ascending.
    """

    arm: LSDArm
    values: tuple[Fraction, ...]
    intervals: tuple[ChargeInterval, ...]

    @property
    def unordered(self) -> tuple[int, ...]:
        """The states in which rest is optimal at some charge and not at some larger one."""
        return tuple(s for s in range(self.arm.n_states) if self._falls_back(s))

    @property
    def indexable(self) -> bool:
        """Whether the set of states in which rest is optimal grows with the charge."""
        return not self.unordered

    def _falls_back(self, s: int) -> bool:
        only_play = [piece.best[s] == "play" for piece in self.intervals]
        return only_play != sorted(only_play, reverse=True)

    def __call__(self, state: int) -> Fraction:
        """The index of state n > 0 or -m < 0."""
        return self.values[self.arm.index(state)]


def play_index(arm: OrderedArm) -> PlayIndex:
    """The Lagrangian index of every state, exactly.

    Parameters
    ----------
    arm : LSDArm

    Returns
    -------
    PlayIndex
        `.values`, `.indexable`, and ``index(state)`` for a state n > 0 or -m < 0.

    Raises
    ------
    ModelError
        If the arm is no `LSDArm`: the range of charges that is searched is proved for these.

    Examples
    --------
    >>> import rltheory as rlt
    >>> index = rlt.play_index(rlt.LSDArm(rest_payoffs=["1/2", 1], play_payoffs=["1/4"]))
    >>> index.indexable
    True
    >>> [str(index(state)) for state in (-1, 1, 2)]
    ['-1/8', '-1/4', '1']
    """
    if not isinstance(arm, LSDArm):
        raise ModelError(f"the arm is {arm!r}; the index is computed for an LSDArm")
    return _play_index(arm)


def index_rule(bandit: LSDBandit) -> Rule:
    """The arms that the index policy plays, as a function of the arms' states."""
    values = [play_index(arm).values for arm in bandit.arms]

    def choose(_: int, states: tuple[int, ...]) -> tuple[int, ...]:
        now = [index[s] for index, s in zip(values, states, strict=True)]
        best = sorted(range(len(now)), key=lambda i: (-now[i], i))[: bandit.plays]
        return tuple(sorted(i for i in best if now[i] > 0 or not bandit.idle))

    return choose


def index_average(bandit: LSDBandit, state: Sequence[int] | None = None) -> PeriodicRun:
    """The run of the policy that plays the k arms of the largest indices.

    Parameters
    ----------
    bandit : LSDBandit
        Of `LSDArm`. Arms of which `play_index` says that they are not indexable are ranked by
        `PlayIndex.values` all the same.
    state : sequence of int, length N, optional
        Where the arms start, as indices; rested if left out.

    Returns
    -------
    PeriodicRun
        Exact. Arms of index 0 or less are played only where the bandit forbids idling; ties go to
        the lowest index of the arm.

    Raises
    ------
    ModelError
        If an arm is no `LSDArm`, or there is no such state.

    Examples
    --------
    >>> import rltheory as rlt
    >>> tired = rlt.LSDBandit([rlt.LSDArm(rest_payoffs=[1], play_payoffs=["1/10"])])
    >>> rlt.index_average(tired).average, rlt.greedy_average(tired).average
    (Fraction(1, 2), Fraction(1, 10))
    """
    return run_until_repeated(bandit, index_rule(bandit), state=state)


# --- the problem of one arm ---------------------------------------------------------------


@lru_cache(maxsize=4096)
def _play_index(arm: LSDArm) -> PlayIndex:
    low, high = Fraction(-len(arm.play_payoffs) - 1), Fraction(2)
    intervals = tuple(sorted(_cut(arm, low, high), key=lambda piece: piece.low))
    values = tuple(
        max(piece.high for piece in intervals if piece.best[s] == "play")
        for s in range(arm.n_states)
    )
    return PlayIndex(arm, values, intervals)


def _cut(arm: LSDArm, low: Fraction, high: Fraction) -> Iterator[ChargeInterval]:
    """The intervals of charges between two charges."""
    open_ranges = [(low, high)]
    while open_ranges:
        low, high = open_ranges.pop()
        piece = _piece_inside(arm, low, high)
        yield piece
        open_ranges += [(a, b) for a, b in ((low, piece.low), (piece.high, high)) if a < b]


def _piece_inside(arm: LSDArm, low: Fraction, high: Fraction) -> ChargeInterval:
    """Some interval that meets the range, cut to it."""
    # Only finitely many charges are the end of an interval; one of these is not.
    for parts in count(2):
        for j in range(1, parts):
            piece = _around(arm, low + (high - low) * Fraction(j, parts), low, high)
            if piece is not None:
                return piece
    raise AssertionError("unreachable")


def _around(arm: LSDArm, charge: Fraction, low: Fraction, high: Fraction) -> ChargeInterval | None:
    """The interval around a charge; None if the charge is the end of one."""
    plays = _optimal_policy(arm, charge)
    # At charge l everything is what it is at 0, and l times what it is with payoffs of -1.
    problems = [
        (pays, _policy_terms(arm, plays, pays))
        for pays in (arm.payoffs, (Fraction(-1),) * arm.n_states)
    ]
    best = []
    for s, played in enumerate(plays):
        here = "play" if played else "rest"
        others, ours = (
            [_worth(arm, terms, pays, s, play) for pays, terms in problems]
            for play in (not played, played)
        )
        # By how much the other action is better: the first difference that is not always 0.
        for k in range(3):
            a, b = (other[k] - our[k] for other, our in zip(others, ours, strict=True))
            if a == b == 0:
                continue
            if a + b * charge == 0:
                return None
            if b > 0:
                high = min(high, -a / b)
            elif b < 0:
                low = max(low, -a / b)
            break
        else:
            here = "both"
        best.append(here)
    a, b = (terms[0][arm.top] for _, terms in problems)
    return ChargeInterval(low, high, (a, b), tuple(best))


def _optimal_policy(arm: LSDArm, charge: Fraction) -> list[bool]:
    """Whether to play, in every state: a policy of the largest gain and then the largest bias."""
    pays = [p - charge for p in arm.payoffs]
    plays = [x > 0 for x in pays]
    while True:
        terms = _policy_terms(arm, plays, pays)
        worth = [
            [_worth(arm, terms, pays, s, play) for play in (False, True)]
            for s in range(arm.n_states)
        ]
        better = [
            not played if worth[s][not played] > worth[s][played] else played
            for s, played in enumerate(plays)
        ]
        if better == plays:
            return plays
        plays = better


def _worth(
    arm: LSDArm, terms: Terms, pays: Sequence[Fraction], s: int, play: bool
) -> tuple[Fraction, Fraction, Fraction]:
    """(g(next), r + h(next), w(next)) of an action."""
    g, h, w = terms
    after = arm.play_next[s] if play else arm.rest_next[s]
    return g[after], (pays[s] if play else 0) + h[after], w[after]


def _policy_terms(arm: LSDArm, plays: Sequence[bool], pays: Sequence[Fraction]) -> Terms:
    """(g, h, w) of a policy where a play pays that."""
    after = [arm.play_next[s] if played else arm.rest_next[s] for s, played in enumerate(plays)]
    zero = Fraction(0)
    return _terms(after, [x if played else zero for x, played in zip(pays, plays, strict=True)])


def _terms(after: Sequence[int], reward: Sequence[Fraction]) -> Terms:
    """(g, h, w) of deterministic moves with rewards."""
    size = len(after)
    g, h, w = ([Fraction(0)] * size for _ in range(3))
    known = [False] * size
    for s in range(size):
        path: list[int] = []
        while not known[s] and s not in path:
            path.append(s)
            s = after[s]
        if not known[s]:
            at = path.index(s)
            path, cycle = path[:at], path[at:]
            mean = sum((reward[c] for c in cycle), Fraction(0)) / len(cycle)
            bias = _centred([mean - reward[c] for c in cycle])
            for c, x, y in zip(cycle, bias, _centred(bias), strict=True):
                g[c], h[c], w[c], known[c] = mean, x, y, True
        for c in reversed(path):
            g[c] = g[after[c]]
            h[c] = reward[c] - g[c] + h[after[c]]
            w[c] = -h[c] + w[after[c]]
            known[c] = True
    return g, h, w


def _centred(rises: Sequence[Fraction]) -> list[Fraction]:
    """Levels around a cycle that rise as given and sum to 0."""
    levels = list(accumulate(rises[:-1], initial=Fraction(0)))
    centre = sum(levels, Fraction(0)) / len(levels)
    return [x - centre for x in levels]
