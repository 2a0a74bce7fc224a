"""The two files of the BRIDGE dataset: every fact their README lists, and published optima."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.files import load
from rltheory.mdp.model import MDP

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "bridge"
FREEWAY = FOLDER / "freeway_10_fs30.npz"
MINIGRID = FOLDER / "MiniGrid-Empty-16x16-DistanceShaped-v0.npz"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the BRIDGE files (shared/data/bridge) are not on this machine"
)


def episodic(path: Path, horizon: int) -> EpisodicMDP:
    mdp = load(path, horizon=horizon)
    assert isinstance(mdp, EpisodicMDP)
    return mdp


def raw(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    with np.load(path) as archive:
        return archive["transitions"], archive["rewards"]


def next_states(mdp: EpisodicMDP) -> NDArray[np.int64]:
    """Successor of each pair (S, A), -1 where it ends, from the public arrays."""
    rows = mdp.transitions.toarray()
    found = np.where(rows.any(axis=1), rows.argmax(axis=1), -1)
    return found.reshape(mdp.n_states, mdp.n_actions)


@pytest.mark.parametrize(("path", "states"), [(FREEWAY, 197), (MINIGRID, 784)])
def test_the_model_is_the_file(path: Path, states: int) -> None:
    mdp = episodic(path, 10)
    transitions, rewards = raw(path)
    assert (mdp.n_states, mdp.n_actions, mdp.horizon) == (states, 3, 10)
    assert mdp.storage == "deterministic" and mdp.is_stationary
    assert next_states(mdp).tolist() == transitions.tolist()
    assert mdp.termination.tolist() == (transitions.ravel() == -1).tolist()
    assert rewards.dtype == np.float32
    assert mdp.mean_rewards.tolist() == rewards.ravel().astype(np.float64).tolist()
    assert mdp.initial is not None and mdp.initial.tolist() == [1.0] + [0.0] * (states - 1)


def test_freeway_facts() -> None:
    mdp = episodic(FREEWAY, 10)
    following = next_states(mdp)
    assert following[0].tolist() == [144, 138, 144]
    assert int((following == -1).sum()) == int(mdp.termination.sum()) == 156
    assert sorted(mdp.mean_rewards.tolist()) == [0.0] * (591 - 6) + [1.0] * 6
    # Distinct states, the end among them, at each stage.
    now, seen, sizes = {0}, set(), []
    for _ in range(10):
        sizes.append(len(now))
        seen |= now
        now = {int(t) for s in now for t in (following[s] if s >= 0 else [-1])}
    assert sizes == [1, 2, 3, 5, 7, 15, 25, 42, 45, 52]
    assert seen | now >= set(range(197))


def test_freeway_values() -> None:
    from rltheory import evaluate, solve

    mdp = episodic(FREEWAY, 10)
    solution = solve(mdp)
    assert solution.value[0, 0] == 1.0 and solution.gap < 1e-12
    random = np.full((197, 3), 1 / 3)
    assert evaluate(mdp, random)[0, 0] == pytest.approx(0.009026401801893343, rel=1e-13)
    worst = solve(EpisodicMDP(mdp.transitions, -rewards_table(mdp), 10, termination=ends(mdp)))
    assert worst.value[0, 0] == 0.0


def rewards_table(mdp: EpisodicMDP) -> NDArray[np.float64]:
    return mdp.mean_rewards.reshape(mdp.n_states, mdp.n_actions)


def ends(mdp: EpisodicMDP) -> NDArray[np.float64]:
    return mdp.termination.reshape(mdp.n_states, mdp.n_actions)


def test_minigrid_facts() -> None:
    mdp = episodic(MINIGRID, 100)
    following = next_states(mdp)
    assert following[0].tolist() == [683, 762, 730]
    assert int((following == -1).sum()) == 2
    expected = {float(np.float32(r)) for r in (-0.2, -0.1, 0, 0.1, 1.1)}
    assert set(mdp.mean_rewards.tolist()) == expected


def test_minigrid_value() -> None:
    from rltheory import solve

    mdp = episodic(MINIGRID, 100)
    assert solve(mdp).value[0, 0] == pytest.approx(3.7, abs=1e-5)
    # In tenths the rewards are whole numbers, and the optimum is 37 exactly.
    tenths = EpisodicMDP(
        mdp.transitions, np.round(10 * rewards_table(mdp)), 100, termination=ends(mdp)
    )
    assert solve(tenths).value[0, 0] == 37.0


def test_the_horizon_must_be_given() -> None:
    with pytest.raises(ModelError, match="does not say its horizon"):
        load(FREEWAY)
    with pytest.raises(ModelError, match="both given"):
        load(FREEWAY, discount=0.9, horizon=10)
    discounted = load(FREEWAY, discount=0.9)
    assert isinstance(discounted, MDP) and discounted.discount == 0.9
