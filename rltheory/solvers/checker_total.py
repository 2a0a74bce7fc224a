"""Check a certificate of total reward against a model in exact integers.

Without a discount the inequalities of a value prove nothing by themselves: where a run can stay
for ever, any number may stand. Two rankings, f of the policy and g of all rows, close this gap.
With w = head + tail - lower_repair f and v = (1 - upper_repair k) (head + tail) + upper_repair g,
k = reward_weight >= 0, a certificate is accepted when

    lower <= w,   w(s) <= r + (P w)(s),   f(s) >= (P f)(s) + [w(s) > 0]         at its row,
    upper >= v,   v(s) >= r + (P v)(s),   g(s) >= k r + (P g)(s) + [v(s) < 0]   at every row

of every state s, where [...] is 1 or 0, and "its row" is the policy's. This proves lower <=
V^policy <= V* <= upper, whatever the numbers are: n steps earn at least w(s) - E w(s_n); f counts
the visits to states with w > 0, which are finitely many in the mean, so that max(0, w(s_n)) tends
to 0. They earn at most v(s) - E v(s_n); and by g, either the visits to states with v < 0 are
finitely many in the mean, or what is earned tends to -infinity. Where v >= 0 and w <= 0 nothing
need decrease: a run may stay there, as in loops of reward 0. Proofs: docs/theory/total.md. Every
number may be a float or a Fraction.
"""

from fractions import Fraction
from math import lcm
from typing import Any

from rltheory.solvers.checker import Check, plain, require
from rltheory.solvers.checker_model import model_rows


def check_total(certificate: Any, model: Any) -> Check:
    """Check `certificate` against `model`: the mapping of its arrays, or an object with one."""
    at: list[object] = ["certificate or model"]  # the place, named when a test there fails
    try:
        return Check(True, prove(certificate, getattr(model, "arrays", lambda: model)(), at))
    except Exception as fault:  # whatever goes wrong is a rejection
        return Check(False, f"{' '.join(map(str, at))}: {fault or repr(fault)}")


def prove(c: Any, arrays: Any, at: list[object]) -> str:
    """Establish every inequality of the certificate c, or raise."""
    require(c.criterion == "total", f"this checker is not for {c.criterion!r}")
    require(arrays.get("horizon") is None, "the model has a horizon")
    S = plain(arrays["n_states"])
    labels, policy = plain(c.policy), plain(c.rows)
    stored = (c.head, c.tail, c.lower_ranking, c.upper_ranking, c.lower, c.upper)
    vectors = [[Fraction(x) for x in plain(each)] for each in stored]
    lengths = {len(each) for each in (labels, policy, *vectors)}
    require(lengths == {S} and S > 0, "wrong number of states")
    head, tail, f, g, lower, upper = vectors
    down, up, k = (Fraction(x) for x in (c.lower_repair, c.upper_repair, c.reward_weight))
    require(k >= 0, "reward_weight is negative")
    value = [h + t for h, t in zip(head, tail, strict=True)]
    w = [x - down * y for x, y in zip(value, f, strict=True)]
    v = [(1 - up * k) * x + up * y for x, y in zip(value, g, strict=True)]
    for s in range(S):
        at[:] = "state", s
        require(lower[s] <= w[s], "lower is above its witness")
        require(upper[s] >= v[s], "upper is below its witness")

    one = lcm(*(x.denominator for each in (w, v, f, g) for x in each))
    W, V, F, G = ([x.numerator * (one // x.denominator) for x in each] for each in (w, v, f, g))
    seen, count = set(), 0
    for row in model_rows(arrays, at):
        s, sigma, count = row.state, row.sigma, count + 1

        def ahead(x: list[int], row: Any = row) -> int:
            return sum(p * x[t] for p, t in zip(row.weights, row.columns, strict=True))

        pay = row.reward * one
        require(sigma * (V[s] - pay) >= ahead(V), "upper witness fails")
        require(sigma * (G[s] - k * pay - one * (V[s] < 0)) >= ahead(G), "upper ranking fails")
        if row.number == policy[s]:
            seen.add(s)
            require(row.action == labels[s], "not the policy's action")
            require(sigma * (W[s] - pay) <= ahead(W), "lower witness fails")
            require(sigma * (F[s] - one * (W[s] > 0)) >= ahead(F), "lower ranking fails")
    for s in range(S):
        at[:] = "state", s
        require(s in seen, "the policy's row is not one of the state's")
    return f"all inequalities hold at {S} states and {count} rows"
