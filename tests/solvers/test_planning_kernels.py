"""The kernels of regularised and robust planning: their twins, and what they refuse."""

import numpy as np
import pytest

import rltheory as rlt
from rltheory import _core

kernels = _core.planning
MODEL = rlt.MDP([[[0.5, 0.5], [1, 0]], [[0, 1], [0.25, 0.75]]], np.arange(4.0).reshape(2, 2)).core
FOUR, TWO = np.full(4, 0.5), np.zeros(2)
LOGS = np.log(FOUR)


def ambiguity(radius=0.5, rows=4, states=2):
    return kernels.Ambiguity.l1(states, np.full(rows, radius), False)


@pytest.mark.parametrize("kind", ["few", "many", "one"])
@pytest.mark.parametrize("exits", [False, True])
def test_robust_sweeps_are_those_of_single_rows(kind, exits):
    random = np.random.default_rng(2)
    S, A = 12, 3
    for k in range(6):
        P = random.dirichlet(np.full(S, 0.5), size=(S, A))
        if kind == "few":
            P = P * (random.random((S, A, S)) < 0.3)
            P[..., 1] += ~(P.sum(-1) > 0)
            P /= P.sum(-1, keepdims=True)
        elif kind == "one":
            P = np.eye(S)[random.integers(0, S, (S, A))]
        ends = random.random((S, A)) * exits if kind != "one" else np.zeros((S, A))
        P = P * (1 - ends)[..., None]
        mdp = rlt.MDP(P, random.normal(size=(S, A)), 0.9, termination=ends)
        assert mdp.storage == {"few": "csr", "many": "dense", "one": "deterministic"}[kind]
        v = np.round(random.normal(size=S), 1)  # with ties
        rows = np.concatenate([P, ends[..., None]], axis=-1)[..., : S + mdp.core.has_exits]
        ahead = np.append(v, 0.0)[: rows.shape[-1]]
        for sign in (1.0, -1.0):
            for support in (False, True):
                radius = random.choice([0.0, 0.2, 0.9, 2.0], size=S * A)
                sets = kernels.Ambiguity.l1(S, radius, support)
                found, best = kernels.robust_bellman(mdp.core, 0, 0.9, sets, sign, v)
                q = np.array(
                    [
                        mdp.mean_rewards[i]
                        + 0.9
                        * ahead
                        @ rlt.worst_case_row(
                            rows.reshape(S * A, -1)[i] / rows.reshape(S * A, -1)[i].sum(),
                            ahead, radius[i], support_only=support, optimistic=sign < 0,
                        )
                        for i in range(S * A)
                    ]
                ).reshape(S, A)  # fmt: skip
                assert found == pytest.approx(q.max(axis=1), rel=1e-12, abs=1e-12), k
                assert q[np.arange(S), best % A] == pytest.approx(q.max(axis=1), abs=1e-12)


def test_soft_sweeps_are_log_sum_exp():
    v, w = np.array([1.0, -2.0]), np.array([0.5, 0.5, 0.125, 0.875])
    for tau in (1e-3, 1.0, 1e3):
        bonus = np.array([0.25, 0.0])
        out = kernels.soft_bellman(MODEL, 0, 0.9, tau, w, np.log(w), bonus, v)
        q = np.arange(4.0) + 0.9 * np.array([-0.5, 1.0, -2.0, -1.25])
        z = (q / tau + np.log(w)).reshape(2, 2)
        top = z.max(axis=1)
        wanted = bonus + tau * (top + np.log(np.exp(z - top[:, None]).sum(axis=1)))
        assert out == pytest.approx(wanted, rel=1e-12)


SOFT = {
    "model": MODEL, "stage": 0, "discount": 0.9, "temperature": 1.0, "weight": FOUR,
    "log_weight": LOGS, "bonus": TWO,
}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"stage": 1},
        {"stage": -1},
        {"temperature": 0.0},
        {"temperature": np.nan},
        {"weight": np.zeros(3)},
        {"log_weight": np.zeros(5)},
        {"bonus": np.zeros(1)},
        {"value": np.zeros(3)},
    ],
)
def test_soft_kernels_refuse(wrong):
    given = {"value": TWO} | wrong
    if "stage" in wrong:
        wrong_stage = {**SOFT, **wrong}
        if wrong["stage"] == 1:
            assert kernels.soft_bellman(**wrong_stage, value=TWO).shape == (2,)  # stages share rows
            return
    with pytest.raises(ValueError, match=r"stage|temperature|entries"):
        kernels.soft_bellman(**{**SOFT, **given})


def test_soft_iteration_and_residuals_refuse():
    rest = {key: x for key, x in SOFT.items() if key != "stage"}
    with pytest.raises(ValueError, match="discount"):
        kernels.soft_value_iteration(**{**rest, "discount": 1.0}, tol=0.1, rtol=0.0, start=TWO)
    with pytest.raises(ValueError, match="start has 3 entries"):
        kernels.soft_value_iteration(**rest, tol=0.1, rtol=0.0, start=np.zeros(3))
    for name in ("next_head", "next_tail", "own_head", "own_tail"):
        witness = dict.fromkeys(("next_head", "next_tail", "own_head", "own_tail"), TWO)
        with pytest.raises(ValueError, match="witness has 1 entries"):
            kernels.soft_residual_bounds(**SOFT, **(witness | {name: np.zeros(1)}), data_error=0.0)


@pytest.mark.parametrize("radius", [-0.5, 2.5, np.nan])
def test_radii_out_of_range_are_refused(radius):
    with pytest.raises(ValueError, match=r"radius\[0\] must be in \[0, 2\]"):
        ambiguity(radius)


@pytest.mark.parametrize(
    ("row_ptr", "col", "low", "high"),
    [
        ([], [], [], []),
        ([1, 2], [0, 1], [0, 0], [1, 1]),
        ([0, 3], [0, 1], [0, 0], [1, 1]),
        ([0, 2], [1, 0], [0, 0], [1, 1]),
        ([0, 2], [0, 3], [0, 0], [1, 1]),
        ([0, 2], [-1, 0], [0, 0], [1, 1]),
        ([0, 2], [0, 1], [0.5, 0], [0.25, 1]),
        ([0, 2], [0, 1], [np.nan, 0], [1, 1]),
        ([0, 2], [0, 1], [0, 0], [1, np.inf]),
        ([0, 2], [0, 1], [0], [1, 1]),
    ],
)
def test_intervals_that_are_none_are_refused(row_ptr, col, low, high):
    with pytest.raises(ValueError, match=r"row_ptr|outcomes|low|entries"):
        kernels.Ambiguity.intervals(
            2, np.array(row_ptr, np.int64), np.array(col, np.int32), np.array(low, float),
            np.array(high, float),
        )  # fmt: skip


def test_robust_kernels_refuse_what_does_not_fit():
    rows = np.array([0, 2])
    for sets in (ambiguity(rows=3), ambiguity(states=3)):
        with pytest.raises(ValueError, match="other rows"):
            kernels.robust_bellman(MODEL, 0, 0.9, sets, 1.0, TWO)
    with pytest.raises(ValueError, match="sign"):
        kernels.robust_bellman(MODEL, 0, 0.9, ambiguity(), 0.5, TWO)
    with pytest.raises(ValueError, match="value has 3"):
        kernels.robust_bellman(MODEL, 0, 0.9, ambiguity(), 1.0, np.zeros(3))
    with pytest.raises(ValueError, match="discount"):
        kernels.robust_iteration(MODEL, 1.0, ambiguity(), 1.0, 0.1, 0.0, 0, TWO)
    with pytest.raises(ValueError, match="does not belong"):
        kernels.robust_residual_bounds(
            MODEL, 0, 0.9, ambiguity(), 1.0, TWO, TWO, TWO, TWO, 0.0, np.array([0, 1])
        )
    with pytest.raises(ValueError, match="row 4 is not of this stage"):
        kernels.worst_laws(MODEL, 0, ambiguity(), 1.0, TWO, TWO, np.array([4]))
    assert kernels.worst_laws(MODEL, 0, ambiguity(), 1.0, TWO, TWO, rows)[0].tolist() == [0, 2, 4]
