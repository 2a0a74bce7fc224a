"""Linear MDPs: what is refused and where, the table, exact models."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.mdp.sources import read_source


def arrays(S: int = 4, A: int = 2, d: int = 3, H: int = 2, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    features = rng.dirichlet(np.ones(d), (S, A))
    measures = rng.dirichlet(np.ones(S), (H, d))
    return [features, measures, rng.random((H, d))]


@pytest.mark.parametrize("seed", range(5))
def test_the_table_has_the_rows_and_rewards_of_the_definition(seed: int) -> None:
    features, measures, theta = arrays(seed=seed)
    mdp = rlt.LinearMDP(features, measures, theta, [0.25] * 4)
    table = mdp.tabular()
    rows = table.transitions.toarray().reshape(2, 4, 2, 4)
    for h, s, a in np.ndindex(2, 4, 2):
        row = [float(features[s, a] @ measures[h, :, t]) for t in range(4)]
        assert rows[h, s, a] == pytest.approx(row, abs=1e-15)
        paid = table.mean_rewards.reshape(2, 4, 2)[h, s, a]
        assert paid == pytest.approx(float(features[s, a] @ theta[h]), abs=1e-15)
    assert table.initial is not None and table.initial.tolist() == [0.25] * 4
    assert mdp.tabular() is table


def test_equal_stages_share_their_rows() -> None:
    features, measures, theta = arrays(H=1)
    same = rlt.LinearMDP(features, np.repeat(measures, 3, 0), np.repeat(theta, 3, 0))
    assert same.tabular().is_stationary and same.tabular().horizon == 3
    other = rlt.LinearMDP(features, np.repeat(measures, 2, 0), [theta[0], 2 * theta[0]])
    assert not other.tabular().is_stationary


def test_a_norm_above_one_is_refused_with_its_place() -> None:
    features, measures, theta = arrays()
    features[2, 1] = [1.0, 0.5, -0.5]
    with pytest.raises(ModelError, match=r"features\[2, 1\] has norm 1\.2247.*at most 1"):
        rlt.LinearMDP(features, measures, theta)


def test_a_row_that_is_no_law_is_refused_with_its_place() -> None:
    features, measures, theta = arrays()
    features[3, 0] *= 0.5
    with pytest.raises(ModelError, match=r"stage 0: the row features\[3, 0\] @ measures\[0\] sums"):
        rlt.LinearMDP(features, measures, theta)
    features, measures, theta = arrays()
    measures[1, 0] += np.array([0.5, -0.5, 0.0, 0.0]) * 4
    with pytest.raises(ModelError, match=r"stage 1: .* has an entry -"):
        rlt.LinearMDP(features, measures, theta)
    features, measures, theta = arrays()
    measures[0, :, 0] += 5e-9
    with pytest.raises(ModelError, match="within 1e-9"):
        rlt.LinearMDP(features, measures, theta)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, np.ones((4, 3)), r"features has shape \(4, 3\)"),
        (0, np.ones((4, 0, 3)), "features has shape"),
        (1, np.ones((2, 4, 3)), r"measures has shape \(2, 4, 3\); it must be \(H, 3, 4\)"),
        (2, np.ones(3), r"reward_weights has shape \(3,\); it must be \(2, 3\)"),
        (2, np.full((2, 3), np.nan), r"reward_weights\[0, 0\] is nan"),
        (0, [[["x"]]], "features"),
    ],
)
def test_other_bad_input(place: int, value: Any, message: str) -> None:
    given = arrays()
    given[place] = value
    with pytest.raises(ModelError, match=message):
        rlt.LinearMDP(*given)
    with pytest.raises(ModelError, match="initial"):
        rlt.LinearMDP(*arrays(), [1.0])


def test_signed_measures_are_allowed() -> None:
    """Features in another basis: rows stay, measures are no laws any more."""
    features, measures, theta = arrays()
    basis = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.5], [0.5, 0.0, 1.0]]) / 2
    turned = features @ basis
    back = np.linalg.inv(basis)
    mdp = rlt.LinearMDP(turned, back @ measures, theta @ back.T)
    assert (mdp.measures < 0).any()
    plain = rlt.LinearMDP(features, measures, theta)
    assert rlt.solve(mdp).value == pytest.approx(rlt.solve(plain).value, abs=1e-12)


def test_exact_models_are_exact() -> None:
    mdp = rlt.random_linear_mdp(3, 2, 2, 2, seed=5, exact=True)
    assert mdp.fractions is not None and repr(mdp).endswith("exact)")
    table = mdp.tabular()
    assert table.rational is not None
    assert sum(table.rational.prob[: table.rational.row_ptr[1]]) == 1
    third = [[[Fraction(1, 3), Fraction(2, 3)]]]
    with pytest.raises(ModelError, match="sums to 7/6"):
        rlt.LinearMDP(third, [[[Fraction(3, 2)], [1]]], [[0, 0]], exact=True)
    with pytest.raises(ModelError, match="has an entry -1/3"):
        rlt.LinearMDP(
            [[[Fraction(1, 3), Fraction(2, 3)]]] * 2,
            [[[1, 0], [-1, 2]]],
            [[0, 0]],
            exact=True,
        )


def test_files(tmp_path: Path) -> None:
    mdp = rlt.random_linear_mdp(4, 2, 3, 2, seed=3)
    mdp.save(tmp_path / "a.npz")
    mdp.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    back = rlt.LinearMDP.load(tmp_path / "a.npz")
    for name in ("features", "measures", "reward_weights", "initial"):
        assert (getattr(back, name) == getattr(mdp, name)).all()
    no_start = rlt.LinearMDP(*arrays())
    no_start.save(tmp_path / "c.npz")
    assert rlt.LinearMDP.load(tmp_path / "c.npz").initial is None


def test_load_and_save_know_linear_models(tmp_path: Path) -> None:
    mdp = rlt.random_linear_mdp(4, 2, 3, 2, seed=3)
    path = tmp_path / "a.npz"
    rlt.save(mdp, path)
    back = rlt.load(path)
    assert isinstance(back, rlt.LinearMDP)
    assert (back.measures == mdp.measures).all()
    value = rlt.solve(read_source(str(path))).value
    np.testing.assert_array_equal(value, rlt.solve(mdp).value)
    with pytest.raises(ModelError, match="stages of its own; give no discount"):
        rlt.load(path, horizon=3)
    with pytest.raises(ModelError, match=r"does not end in \.npz"):
        rlt.save(mdp, tmp_path / "a.drn")
    np.savez(path, format=np.array("rltheory-linear-1"), features=mdp.features)
    with pytest.raises(ModelError, match=r"a\.npz: it holds features; it must hold"):
        rlt.load(path)


def test_files_that_are_refused(tmp_path: Path) -> None:
    mdp = rlt.random_linear_mdp(2, 1, 1, 1)
    with pytest.raises(ModelError, match=r"does not end in \.npz"):
        mdp.save(tmp_path / "a.drn")
    with pytest.raises(ModelError, match="fractions"):
        rlt.random_linear_mdp(2, 1, 1, 1, exact=True).save(tmp_path / "a.npz")
    with pytest.raises(ModelError, match="there is no such file"):
        rlt.LinearMDP.load(tmp_path / "none.npz")
    rlt.save(rlt.riverswim(discount=0.5), tmp_path / "river.npz")
    with pytest.raises(ModelError, match="its format is 'rltheory-mdp-1'"):
        rlt.LinearMDP.load(tmp_path / "river.npz")
    np.savez(tmp_path / "half.npz", format=np.array("rltheory-linear-1"), features=mdp.features)
    with pytest.raises(ModelError, match=r"half\.npz: it holds features; it must hold"):
        rlt.LinearMDP.load(tmp_path / "half.npz")
    np.savez(
        tmp_path / "wrong.npz",
        format=np.array("rltheory-linear-1"),
        features=2 * mdp.features,
        measures=mdp.measures,
        reward_weights=mdp.reward_weights,
    )
    with pytest.raises(ModelError, match=r"wrong\.npz: features\[0, 0\] has norm 2"):
        rlt.LinearMDP.load(tmp_path / "wrong.npz")


def test_generated_models() -> None:
    mdp = rlt.random_linear_mdp(6, 2, 3, 4, seed=1)
    assert mdp.features.sum(axis=2) == pytest.approx(np.ones((6, 2)))
    assert np.linalg.matrix_rank(mdp.features.reshape(12, 3)) == 3
    again = rlt.random_linear_mdp(6, 2, 3, 4, seed=1)
    assert (again.measures == mdp.measures).all()
    assert (rlt.random_linear_mdp(6, 2, 3, 4, seed=2).measures != mdp.measures).any()
    tiny = rlt.random_linear_mdp(1, 1, 1, 1)
    assert tiny.tabular().n_pairs == 1
    with pytest.raises(ModelError, match="dimension is 0"):
        rlt.random_linear_mdp(2, 2, 0, 1)
    with pytest.raises(ValueError, match="read-only"):
        mdp.features[0, 0, 0] = 1.0
