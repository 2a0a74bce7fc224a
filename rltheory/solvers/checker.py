"""Check a certificate against a model in exact integers: no rounding, nothing trusted.

A certificate claims ``lower <= V^policy <= V* <= upper``. Its two witnesses are the exact sums
``w = head + tail + lower_shift`` and ``v = head + tail + upper_shift``. A row (s, a) means

    (T_a w)(s) = r + discount * sum_j p_j w(j) / sigma,    sigma = sum_j p_j + exit

(nothing follows an exit). The certificate is accepted when

    lower <= w   and   w(s) <= (T_a w)(s)   at the policy's row a of every state s,
    upper >= v   and   v(s) >= (T_a v)(s)   at every row a of every state s.

This proves it: T is a monotone contraction; iterated from w it climbs to V^policy, from v it
descends to V*. With a finite horizon, stage h is compared with T_a of stage h + 1, the discount
is 1, and w = v = 0 at the end. Every number may be a float or a Fraction.
"""

from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple


class Check(NamedTuple):
    """A verdict, truthy exactly when accepted; `reason` says what holds or where it fails."""

    accepted: bool
    reason: str

    def __bool__(self) -> bool:
        return self.accepted


def check(certificate: Any, model: Any) -> Check:
    """Check `certificate` against `model`: the mapping of its arrays, or an object with one."""
    at: list[object] = ["certificate or model"]  # the place, named when a test there fails
    try:
        return Check(True, prove(certificate, getattr(model, "arrays", lambda: model)(), at))
    except Exception as fault:  # whatever goes wrong is a rejection
        return Check(False, f"{' '.join(map(str, at))}: {fault or repr(fault)}")


def prove(c: Any, arrays: Any, at: list[object]) -> str:
    """Establish every inequality of the certificate c, or raise."""
    staged = c.criterion == "finite-horizon"
    require(staged or c.criterion == "discounted", f"no checker yet for {c.criterion!r}")
    S, discount, horizon = (plain(arrays.get(k)) for k in ("n_states", "discount", "horizon"))
    require([discount is None, horizon is None] == [staged, not staged], f"not {c.criterion}")
    g, gd = (1, 1) if staged else discount.as_integer_ratio()
    require(staged or 0 <= g < gd, f"discount {discount} is not in [0, 1)")
    n = horizon if staged else 1  # the number of stages; what follows h is h + staged
    stored = (c.policy, c.rows, c.head, c.tail, c.lower, c.upper, c.lower_shift, c.upper_shift)
    parts = [plain(x) if staged else [plain(x)] for x in stored]
    require([len(x) for x in parts] == 2 * [n] + 6 * [n + staged], "wrong number of stages")
    require({len(x) for y in parts[:6] for x in y} == {S} != {0}, "wrong number of states")
    labels, policy, head, tail, lower, upper, below, above = parts

    w, v = ([[Fraction(0)] * S for _ in head] for _ in range(2))
    for h in range(n + staged):
        for s in range(S):
            at[:] = "stage", h, "state", s
            middle = Fraction(head[h][s]) + Fraction(tail[h][s])
            w[h][s], v[h][s] = middle + Fraction(below[h]), middle + Fraction(above[h])
            require(Fraction(lower[h][s]) <= w[h][s], "lower is above its witness")
            require(Fraction(upper[h][s]) >= v[h][s], "upper is below its witness")
            require(h < n or w[h][s] == v[h][s] == 0, "a witness is not 0 at the end")
    one = lcm(*(x.denominator for y in w + v for x in y))
    W, V = ([[x.numerator * (one // x.denominator) for x in y] for y in z] for z in (w, v))

    at[:] = ["model"]
    state_ptr, row_ptr = plain(arrays["state_ptr"]), plain(arrays["row_ptr"])
    reward, exits, action = (plain(arrays[k]) for k in ("reward", "exit", "action"))
    col, prob, R, states = arrays["col"], arrays["prob"], len(reward), set(range(S))
    ends = [state_ptr[0], state_ptr[-1], row_ptr[0], row_ptr[-1]]
    sizes = len(state_ptr) in (S + 1, n * S + 1) and len(exits) in (0, R) and len(action) == R
    require(sizes and len(row_ptr) == R + 1 and len(col) == len(prob), "lengths do not agree")
    require(ends == [0, R, 0, len(col)], "pointers do not agree with the lengths")
    for k in range(len(state_ptr) - 1):
        s, first, last = k % S, state_ptr[k], state_ptr[k + 1]
        mine = range(n) if len(state_ptr) == S + 1 else [k // S]  # the stages with these rows
        at[:] = "stage", mine[0], "state", s
        own = [type(policy[h][s]) is int and first <= policy[h][s] < last for h in mine]
        require(all(own), "no row, or not the policy's")
        require(all(action[policy[h][s]] == labels[h][s] for h in mine), "not the policy's action")
        for row in range(first, last):
            at[4:] = "row", row
            i, j, (r, rd) = row_ptr[row], row_ptr[row + 1], reward[row].as_integer_ratio()
            cols = plain(col[i:j])
            require(len(states.intersection(cols)) == j - i, "columns are not distinct states")
            p = [x.as_integer_ratio() for x in (*plain(prob[i:j]), *exits[row : row + 1])]
            unit = lcm(*(den for _, den in p))
            q = [num * (unit // den) for num, den in p]  # in integers, with the exit last
            sigma = sum(q)
            require(min(q) >= 0 and abs(sigma - unit) * 10**8 <= unit, "not a distribution")
            for h in mine:
                at[1] = h
                for x, sign in ((V, 1), (W, -1)) if row == policy[h][s] else ((V, 1),):
                    ahead = sum(a * x[h + staged][t] for a, t in zip(q, cols, strict=False))
                    excess = gd * sigma * (x[h][s] * rd - r * one) - g * ahead * rd
                    require(sign * excess >= 0, f"{'lower' if x is W else 'upper'} witness fails")
    return f"all inequalities hold at {S} states and {R} rows"


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def plain(x: Any) -> Any:
    return x.tolist() if hasattr(x, "tolist") else x
