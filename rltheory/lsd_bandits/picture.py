"""Draw a schedule: arms against time, states coloured, plays framed with what they paid.

One row an arm, one column a round. The darker a square, the better rested the arm at the start of
the round; a framed square is a play, with its payoff. Below stands each round's reward and, as a
line, the average so far. Pointing at a square says the same in words.
"""

from collections.abc import Sequence
from fractions import Fraction
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit

__all__ = ["schedule_svg"]

_SIDE, _LEFT, _BELOW = 34, 58, 74
_PALE, _FULL = (240, 244, 248), (31, 90, 150)
_INK, _RED = "#1a1a1a", "#c4520a"
_MOST = 120


def schedule_svg(bandit: LSDBandit, states: ArrayLike, plays: ArrayLike, title: str = "") -> str:
    """An ``<svg>`` document of the first rounds of a schedule.

    Parameters
    ----------
    bandit : LSDBandit
    states : array_like of int, shape (T, N)
        Each arm's state, an index, at the start of each round; T at most 120.
    plays : array_like of bool, shape (T, N)
        Which arms are played.
    title : str
        Written above.

    Raises
    ------
    ModelError
        If shapes differ, T is 0 or above 120, or a state is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import rltheory as rlt
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2)])
    >>> svg = rlt.schedule_svg(bandit, np.array([[1], [0]]), np.array([[True], [False]]))
    >>> svg[:4], svg.count("<rect")
    ('<svg', 3)
    """
    states, plays = np.asarray(states), np.asarray(plays)
    _check(bandit, states, plays)
    rounds, arms = plays.shape
    width, height = _LEFT + rounds * _SIDE + 12, 30 + arms * _SIDE + _BELOW
    label = f"{arms} arms over {rounds} rounds"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{label}" '
        'font-family="sans-serif" font-size="10">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="17" font-size="12" fill="{_INK}">{escape(title)}</text>',
    ]
    rewards = [Fraction(0)] * rounds
    for i in range(arms):
        y = 26 + i * _SIDE
        lines.append(f'<text x="{_LEFT - 6}" y="{y + 21}" text-anchor="end">arm {i}</text>')
        for t in range(rounds):
            state, played = int(states[t, i]), bool(plays[t, i])
            if played:
                rewards[t] += bandit.arms[i].payoffs[state]
            lines += _cell(bandit, i, t, state, played)
    lines += _rewards(rewards, 26 + arms * _SIDE, bandit.plays)
    return "\n".join([*lines, "</svg>"])


def _check(bandit: LSDBandit, states: NDArray[np.integer], plays: NDArray[np.bool_]) -> None:
    if states.shape != plays.shape or states.ndim != 2 or states.shape[1] != bandit.n_arms:
        raise ModelError(
            f"states has shape {states.shape} and plays {plays.shape}; both must be "
            f"(T, {bandit.n_arms})"
        )
    if not 1 <= len(states) <= _MOST:
        raise ModelError(f"there are {len(states)} rounds; a picture has 1 to {_MOST}")
    for i, arm in enumerate(bandit.arms):
        wrong = (states[:, i] < 0) | (states[:, i] >= arm.n_states)
        if wrong.any():
            t = int(np.flatnonzero(wrong)[0])
            raise ModelError(
                f"states[{t}, {i}] is {states[t, i]}; it must be in 0..{arm.n_states - 1}"
            )


def _cell(bandit: LSDBandit, i: int, t: int, state: int, played: bool) -> list[str]:
    arm = bandit.arms[i]
    share = state / arm.top if arm.top else 1.0
    red, green, blue = (round(p + share * (f - p)) for p, f in zip(_PALE, _FULL, strict=True))
    x, y = _LEFT + t * _SIDE, 26 + i * _SIDE
    name = arm.label(state) if isinstance(arm, LSDArm) else state
    words = f"round {t + 1}, arm {i}: state {name}"
    frame = 'stroke="#fff" stroke-width="1"'
    if played:
        words += f", played for {arm.payoffs[state]}"
        frame = f'stroke="{_RED}" stroke-width="2.5"'
    out = [
        f"<g><title>{escape(words)}</title>",
        f'<rect x="{x + 2}" y="{y + 2}" width="{_SIDE - 4}" height="{_SIDE - 4}" rx="3" '
        f'fill="rgb({red},{green},{blue})" {frame}/>',
    ]
    if played:
        ink = "#fff" if share > 0.55 else _INK
        place = f'x="{x + _SIDE // 2}" y="{y + 21}" text-anchor="middle" fill="{ink}"'
        out.append(f"<text {place}>{_short(arm.payoffs[state])}</text>")
    return [*out, "</g>"]


def _short(payoff: Fraction) -> str:
    text = str(payoff)
    return text if len(text) <= 5 else f"{float(payoff):.2f}"


def _rewards(rewards: Sequence[Fraction], top: int, most: int) -> list[str]:
    """Rewards as bars, and the average so far as a line, on a scale of 0 to k."""
    height, base = 44.0, top + 54
    out = [
        f'<text x="{_LEFT - 6}" y="{base - 16}" text-anchor="end">reward</text>',
        f'<text x="{_LEFT - 6}" y="{base - 4}" text-anchor="end" fill="{_RED}">average</text>',
        f'<line x1="{_LEFT}" x2="{_LEFT + len(rewards) * _SIDE}" y1="{base}" y2="{base}" '
        'stroke="#999"/>',
    ]
    total, points = Fraction(0), []
    for t, reward in enumerate(rewards):
        total += reward
        x, h = _LEFT + t * _SIDE, height * float(reward) / most
        out.append(
            f'<path d="M{x + 6} {base}v{-h:.2f}h{_SIDE - 12}v{h:.2f}z" fill="#c9d3de">'
            f"<title>round {t + 1}: {reward}; average {total / (t + 1)}</title></path>"
        )
        average = height * float(total) / (t + 1) / most
        points.append(f"{x + _SIDE / 2:.1f},{base - average:.2f}")
    out.append(
        f'<polyline points="{" ".join(points)}" fill="none" stroke="{_RED}" stroke-width="2"/>'
    )
    last = float(total) / len(rewards)
    out.append(
        f'<text x="{_LEFT}" y="{base + 15}" fill="{_RED}">average over {len(rewards)} rounds: '
        f"{total / len(rewards)} = {last:.4f}</text>"
    )
    return out
