"""Arms as words on a command line.

blocking:3            pays 1 if it was not played in the last 2 rounds; blocking:3,4/5 pays 4/5
recharging:0,1/2,1    f(1), f(2), f(3): by the rounds since the last play
lsd:1/2,1:1/4,0       p(1), p(2) after rests, p(-1), p(-2) after plays
gradual:1/2,1:1/4,0   the same, where a rest undoes one play at a time
"""

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm

__all__ = ["arm_of"]

_KINDS = ("blocking", "recharging", "lsd", "gradual")


def arm_of(text: str) -> LSDArm:
    """The arm that `text` describes.

    Raises
    ------
    ModelError
        If it describes none, or the arm is not valid.

    Examples
    --------
    >>> arm_of("lsd:1/2,1:1/4")
    LSDArm(rest_payoffs=(1/2, 1), play_payoffs=(1/4,))
    """
    kind, *parts = text.split(":")
    lists = [part.split(",") for part in parts]
    if kind not in _KINDS or len(lists) != (2 if kind in ("lsd", "gradual") else 1):
        raise ModelError(
            f"arm {text!r} is not understood; write blocking:3, blocking:3,4/5, "
            "recharging:0,1/2,1, lsd:1/2,1:1/4,0 or gradual:1/2,1:1/4,0"
        )
    try:
        if kind == "blocking":
            delay, *reward = lists[0]
            if len(reward) > 1:
                raise ModelError("blocking takes a delay and one reward")
            return LSDArm.blocking(_integer(delay), *reward)
        if kind == "recharging":
            return LSDArm.recharging(lists[0])
        rest, play = lists
        return LSDArm(rest, play, recovery="gradual" if kind == "gradual" else "reset")
    except ModelError as fault:
        raise ModelError(f"arm {text!r}: {fault}") from None


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ModelError(f"delay is {text!r}; it must be an integer of at least 1") from None
