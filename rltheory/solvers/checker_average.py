"""Check a certificate of average reward in exact integers: no rounding, nothing trusted.

A certificate claims ``lower <= g^policy <= g* <= upper``, state by state. Its witnesses are exact
sums of stored numbers: gains ``g = lower_gain + lower_tail + lower_shift`` and
``v = upper_gain + upper_tail + upper_shift``, biases ``h = bias + bias_tail``. A row (s, a) means
P = p / sigma, sigma = sum_j p_j. The certificate is accepted when no row can end, lower <= g,
v <= upper, and

    at the policy's row of every state s:  g(s) < (P g)(s), or
                                           g(s) = (P g)(s) and g(s) + h(s) <= r + (P h)(s);
    at every row of every state s:         v(s) > (P v)(s), or
                                           v(s) = (P v)(s) and v(s) + h(s) >= r + (P h)(s).

This proves it: rows of the first kind satisfy the second inequality too once h is replaced by
h - C g (or h + C v) with C large, which changes nothing at the others; then the rewards of n steps
telescope to at least n g(s) (at most n v(s)) up to a constant. Every number may be a float or a
Fraction. Proof: docs/theory/average.md.
"""

from fractions import Fraction
from math import lcm
from typing import Any

from rltheory.solvers.checker import Check, plain, require
from rltheory.solvers.checker_model import model_rows


def check_average(certificate: Any, model: Any) -> Check:
    """Check `certificate` against `model`: the mapping of its arrays, or an object with one."""
    at: list[object] = ["certificate or model"]  # the place, named when a test there fails
    try:
        return Check(True, prove(certificate, getattr(model, "arrays", lambda: model)(), at))
    except Exception as fault:  # whatever goes wrong is a rejection
        return Check(False, f"{' '.join(map(str, at))}: {fault or repr(fault)}")


def prove(c: Any, arrays: Any, at: list[object]) -> str:
    """Establish every inequality of the certificate c, or raise."""
    require(c.criterion == "average", f"{c.criterion!r} is not average")
    require(arrays.get("horizon") is None, "the model has a horizon")
    S = plain(arrays["n_states"])
    names = "policy rows lower upper lower_gain lower_tail upper_gain upper_tail bias bias_tail"
    stored = [plain(getattr(c, name)) for name in names.split()]
    require({len(x) for x in stored} == {S}, "wrong number of states")
    labels, policy, lower, upper, *parts = stored
    below, above = Fraction(plain(c.lower_shift)), Fraction(plain(c.upper_shift))

    g, v, h = [], [], []
    for s in range(S):
        at[:] = "state", s
        low, low_tail, high, high_tail, bias, tail = (Fraction(x[s]) for x in parts)
        g.append(low + low_tail + below)
        v.append(high + high_tail + above)
        h.append(bias + tail)
        require(Fraction(lower[s]) <= g[s], "lower is above its witness")
        require(Fraction(upper[s]) >= v[s], "upper is below its witness")
    one = lcm(*(x.denominator for y in (g, v, h) for x in y))
    G, V, H = ([x.numerator * (one // x.denominator) for x in y] for y in (g, v, h))

    R, chosen = 0, 0
    for row in model_rows(arrays, at):
        s, R = row.state, R + 1
        require(row.exit == 0, "the row may end, which average reward does not allow")
        tests = [(V, 1, "upper")]
        if type(policy[s]) is int and row.number == policy[s]:
            require(row.action == labels[s], "not the policy's action")
            tests.append((G, -1, "lower"))
            chosen += 1
        moves = list(zip(row.weights, row.columns, strict=True))
        r, rd = row.reward.as_integer_ratio()
        ahead = sum(p * H[t] for p, t in moves) - row.sigma * H[s]
        for x, sign, name in tests:
            drift = sign * (sum(p * x[t] for p, t in moves) - row.sigma * x[s])
            require(drift <= 0, f"the {name} gain is not what follows it allows")
            excess = row.sigma * (x[s] * rd - r * one) - ahead * rd
            require(drift < 0 or sign * excess >= 0, f"{name} witness fails")
    at[:] = ["policy"]
    require(chosen == S, "a state's row is not one of its own")
    return f"all inequalities hold at {S} states and {R} rows"
