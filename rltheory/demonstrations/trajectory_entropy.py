r"""The entropy of a policy's episodes, and the claim that it is regularised planning.

An episode is (s_0, a_0, .., s_{H-1}, a_{H-1}), cut where it ends. With rows p_h(. | s, a), ending
being one of their outcomes, and the start law mu,

    entropy = H(mu) + E sum_h H(pi_h(s_h)) + E sum_{h < H-1} H(p_h(s_h, a_h)),

which is H(mu) + V^pi_0 at temperature 1, regularised by the entropy, with rewards H(p_h), none at
the last stage: the largest is H(mu) + V*_0. The check adds up all episodes, to sixty digits.
Some implementations append s_H: then the last stage has its H(p_h) too (`include_last`).
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from scipy.special import entr

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.demonstrations.exact_episodes import (
    DIGITS,
    Episodes,
    Policy,
    Real,
    compare,
    episode_family,
    one_state,
    real,
    softmax,
    two_states,
)
from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP

__all__ = ["CLAIMS", "entropy_problem"]


def entropy_problem(mdp: EpisodicMDP, include_last: bool = False) -> EpisodicMDP:
    """The model whose policy of largest entropy of episodes `solve_regularized` finds.

    Its rewards are the entropies of the rows, none at the last stage unless `include_last`: then
    the state after the last action belongs to the episode.

    Parameters
    ----------
    mdp : EpisodicMDP
        With all actions in all states; its rewards are not looked at.
    include_last : bool

    Returns
    -------
    EpisodicMDP
        ``solve_regularized(entropy_problem(mdp), 1.0)`` has the largest entropy as its value, given
        the first state.

    Raises
    ------
    ModelError
        If a state lacks an action.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.demonstrations.trajectory_entropy import entropy_problem
    >>> coin = rlt.EpisodicMDP([[[0.5, 0.5]], [[0.5, 0.5]]], [[0.0], [0.0]], horizon=3)
    >>> rlt.solve_regularized(entropy_problem(coin), 1.0).value[0].round(6).tolist()  # 2 log 2
    [1.386294, 1.386294]
    """
    if not mdp.is_full:
        raise ModelError("a state lacks an action; the entropy of episodes needs them all")
    H, S, A = mdp.horizon, mdp.n_states, mdp.n_actions
    shape = (-1, S, A)
    rows = mdp.transitions.toarray().reshape(*shape, S)
    ends = np.asarray(mdp.termination).reshape(shape)
    paid = np.broadcast_to(entr(rows).sum(axis=-1) + entr(ends), (H, S, A)).copy()
    if not include_last:
        paid[-1] = 0.0
    staged = (H, S, A)
    return EpisodicMDP(
        np.broadcast_to(rows, (*staged, S)),
        paid,
        H,
        mdp.initial,
        termination=np.broadcast_to(ends, staged) if ends.any() else None,
    )


# --- demo-traj-entropy --------------------------------------------------------------------


def _entropy(law: Any) -> Real:
    return -DIGITS.fsum(real(p) * DIGITS.log(real(p)) for p in law if p > 0)


def _row_entropy(planner: Any, s: int, a: int) -> Real:
    return _entropy([*planner.P[s][a], planner.exit(s, a)])


def _masses(episodes: Episodes, policy: Policy, include_last: bool) -> Iterator[Fraction]:
    """Chances of all episodes, with the state after the last action or without."""
    if not include_last:
        yield from (chances[0] for chances, _ in episodes.laws(policy))
        return

    def walk(h: int, s: int, mass: Fraction) -> Iterator[Fraction]:
        planner = episodes.stages[h]
        for a in episodes.actions:
            here = mass * policy[h][s][a]
            for t, p in enumerate([*planner.P[s][a], planner.exit(s, a)]):
                if not here * p:
                    continue
                if t == episodes.S or h == episodes.H - 1:
                    yield here * p
                else:
                    yield from walk(h + 1, t, here * p)

    for s in episodes.states:
        if episodes.start[s]:
            yield from walk(0, s, episodes.start[s])


def _by_stages(episodes: Episodes, policy: Policy, include_last: bool) -> Real:
    d = episodes.occupancy(policy)
    last = episodes.H - 1 + include_last

    def at(h: int, s: int) -> Real:
        moves = DIGITS.fsum(
            real(policy[h][s][a]) * _row_entropy(episodes.stages[h], s, a)
            for a in episodes.actions
            if h < last
        )
        return _entropy(policy[h][s]) + moves

    return _entropy(episodes.start) + episodes.mean(d, at)


def _visited(episodes: Episodes, policy: Policy) -> Real:
    """sum_h of the entropies of the visited pairs, which is something else."""
    d = episodes.occupancy(policy)
    return DIGITS.fsum(
        _entropy([d[h][s] * p for s in episodes.states for p in policy[h][s]])
        for h in range(episodes.H)
    )


def _largest(episodes: Episodes) -> tuple[Real, Policy]:
    """By backward induction: the largest entropy without the last state, and its policy."""
    value, policy = [DIGITS.mpf(0)] * episodes.S, list[Any]()
    ones = [1] * episodes.A
    for h in reversed(range(episodes.H)):
        q = episodes.soft_q(h, value)
        planner = episodes.stages[h]
        own = [
            [
                q[s][a]
                - real(planner.r[s][a])
                + (_row_entropy(planner, s, a) if h < episodes.H - 1 else 0)
                for a in episodes.actions
            ]
            for s in episodes.states
        ]
        soft = [softmax(ones, row, DIGITS.mpf(1)) for row in own]
        value = [v for v, _ in soft]
        policy.insert(0, [law for _, law in soft])
    return _entropy(episodes.start) + episodes.at_start(value), policy


def _trajectory_entropy(i: Any, visited: bool = False, no_moves: bool = False) -> list[Measurement]:
    episodes = Episodes(i.mdp, i.start)
    most, best = _largest(episodes)
    found = []
    for name, policy in (("expert", i.expert), ("other", i.other)):
        for include_last in (False, True):
            whole = _entropy(_masses(episodes, policy, include_last))
            stages = _by_stages(episodes, policy, include_last)
            if visited:
                stages = _visited(episodes, policy)
            if no_moves:
                d = episodes.occupancy(policy)
                stages = episodes.mean(d, lambda h, s, pi=policy: _entropy(pi[h][s]))
            found.append(compare(whole, stages, f"{name}{', last' * include_last}"))
    attained = _by_stages(episodes, best, False)
    return [*found, compare(attained, most, "attained by the soft plan")]


def _coin_flips(horizon: int) -> Instance:
    half = Fraction(1, 2)
    moves = [[[half, half], [half, half]]] * 2
    law = [[[half, half]] * 2] * horizon
    sure = [[[Fraction(1), Fraction(0)]] * 2] * horizon
    return Instance(
        mdp=EpisodicMDP(moves, [[0, 0], [0, 0]], horizon, [1.0, 0.0], exact=True),
        start=[Fraction(1), Fraction(0)],
        expert=law,
        other=sure,
        reference=law,
        temperature=Fraction(1),
    )


@claim(
    "demo-traj-entropy",
    "identity",
    title="The entropy of episodes is a regularised value",
    statement=r"""$\tau=(s_0,a_0,\dots,s_{H-1},a_{H-1})$, cut where it ends, start law $\mu$; an
exit is one outcome of a row. For every Markov policy
$$\mathcal H(P^\pi)=\mathcal H(\mu)+E_\pi\sum_{h\le H-1}\mathcal H(\pi_h(s_h))+
E_\pi\sum_{h<H-1}\mathcal H(p_h(s_h,a_h)),$$
and with $s_H$ appended the last sum is over $h\le H-1$. The largest entropy is that of regularised
planning with $\lambda=1$, entropy in place of a reference, and rewards $\mathcal H(p_h(s,a))$, 0 at
the last stage.""",
    source="Tiapkin et al., ICML 2023, arXiv 2303.08059; this project",
    provenance=("paper", "derived"),
    family=episode_family(),
    named={
        "coins": lambda: _coin_flips(3),
        "one stage": lambda: one_state([0, 0], ["1/2", "1/2"], ["1/2", "1/2"]),
        "moves without chance": lambda: two_states(
            [["1/2", "1/2"]] * 2, [["7/8", "1/8"]] * 2, horizon=3
        ),
    },
    mutants=[
        Mutant(
            "visited",
            "entropies of the visited pairs, stage by stage",
            check=partial(_trajectory_entropy, visited=True),
        ),
        Mutant(
            "no-moves",
            "the policy's entropies alone",
            check=partial(_trajectory_entropy, no_moves=True),
        ),
    ],
    proof="text",
)
def trajectory_entropy(instance: Any) -> list[Measurement]:
    return _trajectory_entropy(instance)


CLAIMS = (trajectory_entropy,)
