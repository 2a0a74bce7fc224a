"""Total reward by brute force: all deterministic policies of a small model, in fractions.

Shares nothing with the package but the arrays of the model. Of each policy: the classes it ends
up in, their average rewards, the chance of each; from these, whether its total reward is finite,
and its value.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

ZERO = Fraction(0)


@dataclass(frozen=True)
class Row:
    number: int
    reward: Fraction
    next: dict[int, Fraction]


def rows_by_state(mdp: Any) -> list[list[Row]]:
    a = {k: x.tolist() if hasattr(x, "tolist") else x for k, x in mdp.arrays().items()}
    out = []
    for s in range(a["n_states"]):
        mine = []
        for k in range(a["state_ptr"][s], a["state_ptr"][s + 1]):
            i, j = a["row_ptr"][k], a["row_ptr"][k + 1]
            p = [Fraction(x) for x in a["prob"][i:j]]
            total = sum(p, Fraction(a["exit"][k]) if len(a["exit"]) else ZERO)
            step = {t: x / total for t, x in zip(a["col"][i:j], p, strict=True)}
            mine.append(Row(k, Fraction(a["reward"][k]), step))
        out.append(mine)
    return out


def solve(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    rows = [[*line, b] for line, b in zip(matrix, right, strict=True)]
    n = len(rows)
    for k in range(n):
        p = next(i for i in range(k, n) if rows[i][k] != 0)
        rows[k], rows[p] = rows[p], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            if i != k and rows[i][k] != 0:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [line[n] for line in rows]


def recurrent_classes(policy: Sequence[Row]) -> list[set[int]]:
    S = len(policy)
    reach = [{s} for s in range(S)]
    for _ in range(S):
        reach = [x | {t for s in x for t in policy[s].next} for x in reach]
    closed = [
        s
        for s in range(S)
        if all(s in reach[t] and sum(policy[t].next.values()) == 1 for t in reach[s])
    ]
    return list({frozenset(reach[s]): set(reach[s]) for s in closed}.values())


@dataclass(frozen=True)
class Outcome:
    """Of one policy: its long-run average from each state, and its value where that is finite."""

    average: list[Fraction]
    value: list[Fraction | None]
    cancels: bool


def outcome(policy: Sequence[Row]) -> Outcome:
    S = len(policy)
    classes = recurrent_classes(policy)
    inside = set().union(*classes) if classes else set()
    moving = [s for s in range(S) if s not in inside]

    def absorbed(into: dict[int, Fraction], pay: bool) -> list[Fraction]:
        """x = (r) + P x off the classes, given on them."""
        matrix = [
            [Fraction(int(s == t)) - policy[s].next.get(t, ZERO) for t in moving] for s in moving
        ]
        right = [
            (policy[s].reward if pay else ZERO)
            + sum((p * into[t] for t, p in policy[s].next.items() if t in inside), ZERO)
            for s in moving
        ]
        found = dict(zip(moving, solve(matrix, right), strict=True)) | into
        return [found[s] for s in range(S)]

    average, cancels, worthless = dict[int, Fraction](), False, set[int]()
    for each in classes:
        members = sorted(each)
        n = len(members)
        matrix = [[Fraction(1)] * n]
        for t in members[1:]:
            matrix.append([policy[s].next.get(t, ZERO) - (s == t) for s in members])
        law = solve(matrix, [Fraction(1)] + [ZERO] * (n - 1))
        gain = sum((x * policy[s].reward for x, s in zip(law, members, strict=True)), ZERO)
        average |= dict.fromkeys(members, gain)
        if all(policy[s].reward == 0 for s in members):
            worthless |= each
        elif gain == 0:
            cancels = True
    gains = absorbed(average, pay=False)
    chance = absorbed({s: Fraction(int(s not in worthless)) for s in inside}, pay=False)
    value = absorbed(dict.fromkeys(inside, ZERO), pay=True)
    return Outcome(gains, [v if chance[s] == 0 else None for s, v in enumerate(value)], cancels)


@dataclass(frozen=True)
class Optimum:
    """What is the matter with a model; its value where nothing is."""

    kind: str  # "finite", "+infinity", "-infinity", "cancels"
    value: list[Fraction]


def optimum(mdp: Any) -> Optimum:
    outcomes = [outcome(policy) for policy in itertools.product(*rows_by_state(mdp))]
    best = [max(each) for each in zip(*(o.average for o in outcomes), strict=True)]
    if max(best) > 0:
        return Optimum("+infinity", [])
    if any(o.cancels for o in outcomes):
        return Optimum("cancels", [])
    if min(best) < 0:
        return Optimum("-infinity", [])
    values = zip(*(o.value for o in outcomes), strict=True)
    return Optimum("finite", [max(v for v in each if v is not None) for each in values])


def policy_value(mdp: Any, numbers: Sequence[int]) -> list[Fraction | None]:
    by_number = {row.number: row for rows in rows_by_state(mdp) for row in rows}
    return outcome([by_number[int(k)] for k in numbers]).value


def random_model(
    rng: np.random.Generator, most_states: int = 4, thirds: bool = False, off: float = 0.0
) -> Any:
    """A ragged model with end components; probabilities are dyadic, or doubles of any kind.

    Rows sum to 1 within `off` and rounding.
    """
    import rltheory as rlt

    S = int(rng.integers(1, most_states + 1))
    style = rng.choice(["cost", "gain", "mixed", "mostly cost"])
    pays = {
        "cost": [0.0, 0.0, -1.0, -0.5, -3.0],
        "gain": [0.0, 0.0, 0.0, 0.0, 1.0, 2.0],
        "mixed": [0.0, 0.0, 1.0, -1.0, -2.0],
        "mostly cost": [0.0, -1.0, -1.0, -2.0, -4.0, 1.0],
    }[style]
    states, actions, table, ends, rewards = [], [], [], [], []
    for s in range(S):
        for a in range(int(rng.integers(1, 4))):
            weight = rng.choice([0, 0, 0, 1, 1, 2], size=S + 1).astype(float)
            if rng.random() < 0.4:
                weight[S] = 0.0
            if weight.sum() == 0.0:
                weight[rng.integers(S + 1)] = 1.0
            if not thirds:  # into a sum that is a power of two
                k = int(np.argmax(weight))
                weight[k] += 2.0 ** np.ceil(np.log2(weight.sum())) - weight.sum()
            p = weight / weight.sum() * (1.0 + off * rng.uniform(-1.0, 1.0))
            states.append(s)
            actions.append(a)
            table.append(p[:S])
            ends.append(p[S])
            rewards.append(float(rng.choice(pays)))
    return rlt.MDP.from_pairs(states, actions, np.array(table), rewards, termination=ends)
