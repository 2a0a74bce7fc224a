"""Best-policy identification without a regulariser: golden stopping times, a plain twin, edges."""

import math

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ConvergenceError, ModelError
from tests.demonstrations.test_regularized_bpi import ending, golden, stepped


@pytest.mark.parametrize(
    ("epsilon", "median"), [(0.8, 657), (0.4, 3091), (0.2, 14693), (0.1, 66643)]
)
def test_stopping_times_are_those_of_the_specification(epsilon: float, median: int) -> None:
    learner = rlt.BestPolicyIdentification(epsilon, 0.1)
    times = [learner.run(rlt.online(golden(), seed), seed).episodes for seed in range(5)]
    assert median / 1.06 < np.median(times) < median * 1.06


def test_whole_runs_are_the_stepped_ones_to_the_bit() -> None:
    learner = rlt.BestPolicyIdentification(1.5, 0.2)
    one, other = learner.run(rlt.online(ending(0), 1)), learner.run(stepped(ending(0), 1))
    assert one.episodes == other.episodes > 0
    np.testing.assert_array_equal(one.policy, other.policy)
    np.testing.assert_array_equal(one.history.certificate, other.history.certificate)


def test_its_plan_is_that_of_plain_formulas() -> None:
    """The certificate after so many episodes, from the counts, one number after another."""
    from rltheory import _core
    from rltheory.demonstrations.best_policy_identification import greedy_widths

    mdp, delta = golden(), 0.1
    known = rlt.online(mdp, 0).known()
    law = np.full((3, 3, 2), 0.5)
    scale = np.array([2.0, 1.0, 0.0])
    core = _core.learning.GreedyExplorer(known.rewards, law, np.log(law), scale)
    bonus, none = greedy_widths(np.arange(2000), 3, 2, 3, delta, False)
    core.use(bonus, none)
    stream = np.random.default_rng(0)
    for _ in range(1500):
        h, s, a = (int(stream.integers(k)) for k in (3, 3, 2))
        core.observe(h, s, a, int(stream.integers(3)))
    core.plan()
    n, N = core.visits, core.transitions
    value, loss = [0.0] * 3, [0.0] * 3
    for h in (2, 1, 0):
        c, new_value, new_loss = 2.0 - h, [], []
        for s in range(3):
            rows = []
            for a in range(2):
                k = int(n[h, s, a])
                assert k > 0
                binomial = math.lgamma(k + 3) - math.lgamma(3) - math.lgamma(k + 1)
                kappa = (math.log(3 * 2 * 3 / delta) + binomial) / k
                b = c * math.sqrt(kappa / 2)
                p = N[h, s, a] / k
                upper = float(known.rewards[h, s, a]) + min(c, float(p @ value) + b)
                rows.append((upper, min(c, 2 * b + float(p @ loss))))
            best = max(range(2), key=lambda a: rows[a][0])
            new_value.append(rows[best][0])
            new_loss.append(rows[best][1])
        value, loss = new_value, new_loss
        np.testing.assert_allclose(core.upper[h], value, rtol=1e-12)
        np.testing.assert_allclose(core.gap[h], loss, rtol=1e-12)


def test_it_plays_one_action_and_loses_no_more_than_certified() -> None:
    mdp = golden()
    best = float(rlt.solve(mdp).value[0, 0])
    for seed in range(3):
        result = rlt.BestPolicyIdentification(0.4, 0.1).run(rlt.online(mdp, seed), seed)
        assert set(np.unique(result.policy)) == {0.0, 1.0}
        value = float(rlt.evaluate(mdp, result.policy)[0, 0])
        assert best - value <= result.certificate <= 0.4
        assert result.lower <= best <= result.upper
        assert result.temperature == 0.0


def test_one_stage_stops_at_once_and_bad_arguments_are_refused() -> None:
    assert (
        rlt.BestPolicyIdentification(0.1, 0.1).run(rlt.online(golden(horizon=1), 0)).episodes == 0
    )
    with pytest.raises(ModelError, match="delta is 2"):
        rlt.BestPolicyIdentification(0.1, 2)
    with pytest.raises(ModelError, match="epsilon is 0"):
        rlt.BestPolicyIdentification(0, 0.1)
    with pytest.raises(ConvergenceError, match="10 episodes were not enough"):
        rlt.BestPolicyIdentification(0.1, 0.1).run(rlt.online(golden(), 0), most_episodes=10)
