"""LSVI-UCB-Ent: the plan against plain regression, intervals, roll-outs, words, the radius."""

import math

import numpy as np
import pytest
from scipy.stats import binom

import rltheory as rlt
from rltheory import _core
from rltheory.demonstrations.lsvi_ucb_ent import roll_out_bound
from rltheory.errors import AccessError, ModelError, PolicyError
from rltheory.mdp.simulator import keys_of

MDP = rlt.random_linear_mdp(states=5, actions=3, dimension=3, horizon=3, seed=2)
TABLE = MDP.tabular()
UNIFORM = np.full((3, 5, 3), 1 / 3)
WORLD = _core.learning.World(TABLE.core, MDP.initial, 3)


def online(mdp, seed=0):
    return rlt.online(mdp, seed)


def core(mdp=MDP, reference=UNIFORM, temperature=0.5, radius=1.0, ridge=1.0):
    with np.errstate(divide="ignore"):
        logs = np.log(reference)
    return _core.learning.SoftLinearLearner(
        np.ascontiguousarray(mdp.features),
        np.clip(mdp.mean_rewards, 0, 1),
        reference,
        logs,
        np.full(mdp.horizon, radius),
        ridge,
        temperature,
    )


def plain_plan(mdp, steps, reference, temperature, radius, ridge):
    """Regression by numpy on the steps themselves; (upper, lower, policy)."""
    H, S = mdp.horizon, mdp.n_states
    r, phi = np.clip(mdp.mean_rewards, 0, 1), mdp.features
    policy, out = [None] * H, []
    for sign in (1, -1):
        value, qs = np.zeros(S), []
        for h in reversed(range(H)):
            seen = [x for x in steps if x[0] == h]
            rows = np.array([phi[s, a] for _, s, a, _ in seen]).reshape(-1, mdp.dimension)
            targets = np.array([value[t] if t >= 0 else 0.0 for *_, t in seen])
            gram = ridge * np.eye(mdp.dimension) + rows.T @ rows
            inverse = np.linalg.inv(gram)
            norm = np.sqrt(np.einsum("sai,ij,saj->sa", phi, inverse, phi))
            ahead = phi @ (inverse @ (rows.T @ targets)) + sign * radius * norm
            q = r[h] + np.clip(ahead, 0, H - 1 - h)
            top = np.where(reference[h] > 0, q, -np.inf).max(axis=1, keepdims=True)
            weights = reference[h] * np.exp((q - top) / temperature)
            value = top[:, 0] + temperature * np.log(weights.sum(axis=1))
            if sign > 0:
                policy[h] = weights / weights.sum(axis=1, keepdims=True)
            qs.insert(0, q)
        out.append(np.array(qs))
    return *out, np.array(policy)


def random_steps(rng, count):
    return [
        tuple(int(x) for x in (rng.integers(3), rng.integers(5), rng.integers(3), t))
        for t in rng.integers(-1, 5, size=count)
    ]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("temperature", "ridge"), [(0.5, 1.0), (0.05, 1e-6), (50.0, 4.0)])
def test_plan_is_that_of_plain_regression(seed, temperature, ridge):
    rng = np.random.default_rng(seed)
    reference = rng.dirichlet(np.ones(3), size=(3, 5))
    reference[0, 0] = [0, 0.5, 0.5]
    reference[1, 1] = [0, 0, 1]
    steps = random_steps(rng, 60)
    learner = core(reference=reference, temperature=temperature, radius=0.7, ridge=ridge)
    for step in steps:
        learner.observe(*step)
    learner.plan()
    upper, lower, policy = plain_plan(MDP, steps, reference, temperature, 0.7, ridge)
    assert np.allclose(learner.q_upper, upper, atol=1e-8)
    assert np.allclose(learner.q_lower, lower, atol=1e-8)
    assert np.allclose(learner.policy, policy, atol=1e-6)
    width = np.where(reference > 0, upper - lower, -1)
    single = (reference > 0).sum(axis=2) == 1
    D = np.where(single, 0, np.maximum(width.max(axis=2), 0))
    assert np.allclose(learner.excess, np.minimum(D, D**2 / (8 * temperature)), atol=1e-7)
    best = np.take_along_axis(width, learner.widest[..., None], axis=2)[..., 0]
    assert np.allclose(best, width.max(axis=2), atol=1e-9)


def test_widest_is_the_lowest_index_of_the_widest():
    learner = core()
    learner.plan()  # nothing seen, and no clip alike: all intervals are [r, r + H-1-h]
    assert (learner.widest[-1] == 0).all()
    assert np.allclose(learner.excess[-1], 0.0)


def test_words_do_not_depend_on_batches():
    keys = keys_of(3, "test", "starts", "transitions", "stages", "actions")
    one, two = core(), core()
    for learner in (one, two):
        learner.plan()
    one.explore(WORLD, keys, 0, 0, 100)
    for first in range(0, 100, 20):
        two.explore(WORLD, keys, first, first, 20)
    one.plan(), two.plan()
    assert np.array_equal(one.q_upper, two.q_upper) and np.array_equal(one.q_lower, two.q_lower)


def test_exploration_takes_each_stage_as_often():
    """States of one action each but at stage 1, where the widest is not what the policy plays."""
    phi = np.eye(2).reshape(1, 2, 2)
    mdp = rlt.LinearMDP(phi, np.ones((3, 2, 1)), np.full((3, 2), 0.5), [1.0])
    reference = np.tile([1.0 - 1e-9, 1e-9], (3, 1, 1))
    learner = core(mdp, reference, temperature=1.0)
    learner.observe(1, 0, 0, 0)  # so that action 1 is wider at stage 1
    learner.plan()
    assert learner.widest[1, 0] == 1
    keys = keys_of(0, "test", "starts", "transitions", "stages", "actions")
    n = 4000
    world = _core.learning.World(mdp.tabular().core, mdp.initial, 3)
    assert learner.explore(world, keys, 0, 0, n) == 3 * n
    learner.plan()
    explored = 1 / learner.norms2[1, 0, 1] - 1
    assert abs(explored / n - 0.25) < 5 * math.sqrt(0.25 * 0.75 / n)


def test_roll_outs_have_the_mean_of_the_policy():
    rng = np.random.default_rng(1)
    learner = core()
    for step in random_steps(rng, 200):
        learner.observe(*step)
    learner.plan()
    reached = rlt.occupancy(TABLE, learner.policy).sum(axis=2)
    exact = float((reached * learner.excess).sum())
    keys = keys_of(0, "test", "starts", "transitions", "stages", "actions")
    n = 20_000
    mean = learner.roll_out(WORLD, keys, 0, 0, n)[0] / n
    most = learner.excess.max(axis=1).sum()
    assert abs(mean - exact) < 5 * most / (2 * math.sqrt(n))
    before = learner.plans
    learner.plan()
    assert learner.plans == before + 1
    again = learner.roll_out(WORLD, keys, 0, 0, n)[0] / n
    assert again == mean  # nothing was learned


@pytest.mark.parametrize("seed", range(5))
def test_intervals_of_the_theorem_hold_and_so_does_the_bound(seed):
    found = rlt.lsvi_ucb_ent(online(MDP), UNIFORM, 0.5, 0.05, episodes=20_000, seed=seed)
    best = rlt.solve_regularized(TABLE, 0.5, UNIFORM)
    q = best.q.reshape(3, 5, 3)
    assert (found.q_lower <= q + 1e-9).all() and (q <= found.q_upper + 1e-9).all()
    value = float(MDP.initial @ best.value[0])
    assert found.lower <= value <= found.upper
    got = rlt.evaluate_regularized(TABLE, found.policy, 0.5, UNIFORM)[0] @ MDP.initial
    assert -1e-9 <= value - got <= found.bound
    assert found.radius.tolist() == [rlt.lsvi_ucb_ent_radius(3, 3, 20_000, 0.1)] * 3


def test_a_run_that_stops():
    found = rlt.lsvi_ucb_ent(online(MDP), UNIFORM, 1.0, 0.05, episodes=10**5, radius=1.5, seed=4)
    assert found.stopped and found.bound <= 0.05 and found.steps == 3 * found.episodes
    assert found.history[-1][0] == found.episodes and found.history[-1][2] == found.bound
    assert found.roll_outs == sum(m for _, m, _ in found.history)
    best = rlt.solve_regularized(TABLE, 1.0, UNIFORM).value[0] @ MDP.initial
    got = rlt.evaluate_regularized(TABLE, found.policy, 1.0, UNIFORM)[0] @ MDP.initial
    assert 0 <= best - got <= 0.05
    again = rlt.lsvi_ucb_ent(online(MDP), UNIFORM, 1.0, 0.05, episodes=10**5, radius=1.5, seed=4)
    assert np.array_equal(again.policy, found.policy) and again.history == found.history
    assert repr(found).startswith("LinearBPIResult(stopped, bound 0.0")
    short = rlt.lsvi_ucb_ent(online(MDP), UNIFORM, 0.1, 1e-3, episodes=50, radius=1.5)
    assert not short.stopped and short.episodes == 50 and short.bound > 1e-3


@pytest.mark.slow
def test_a_run_with_the_radius_of_the_theorem_stops():
    found = rlt.lsvi_ucb_ent(online(MDP), UNIFORM, 1.0, 0.1, episodes=10**6)
    assert found.stopped and found.episodes < 10**6
    best = rlt.solve_regularized(TABLE, 1.0, UNIFORM).value[0] @ MDP.initial
    got = rlt.evaluate_regularized(TABLE, found.policy, 1.0, UNIFORM)[0] @ MDP.initial
    assert best - got <= 0.1 and found.lower <= best <= found.upper


class Stepped:
    """An access that only steps: what the core would play whole is played step by step."""

    def __init__(self, mdp, seed):
        self.inner = rlt.online(mdp, seed)
        self.mdp_info = self.inner.mdp_info

    def known(self):
        return self.inner.known()

    def reset(self):
        return self.inner.reset()

    def step(self, action):
        return self.inner.step(action)


def ending_model():
    """Linear in features, and episodes may end: rows of mass below 1."""
    rng = np.random.default_rng(3)
    phi = rng.dirichlet(np.ones(2), size=(4, 2))
    measures = rng.dirichlet(np.ones(4), size=2) * np.array([[0.9], [0.5]])
    rows = phi @ measures
    mdp = rlt.EpisodicMDP(
        rows, rng.random((4, 2)), 3, [0.5, 0.5, 0, 0], termination=1 - rows.sum(axis=2)
    )
    return mdp, phi


@pytest.mark.parametrize("ends", [False, True])
def test_step_by_step_is_the_same_run(ends):
    mdp, phi = ending_model() if ends else (MDP, MDP.features)
    S, A, _ = phi.shape
    uniform = np.full((S, A), 1 / A)
    results = []
    for access in (rlt.online(mdp, 5), Stepped(mdp, 5)):
        found = rlt.lsvi_ucb_ent(
            access, uniform, 0.5, 0.01, episodes=150, features=phi, radius=0.4, roll_outs=20, seed=2
        )
        results.append((found, getattr(access, "inner", access).used))
    (whole, used), (stepped, used_too) = results
    assert np.array_equal(whole.q_upper, stepped.q_upper)
    assert np.array_equal(whole.policy, stepped.policy)
    assert np.allclose(whole.history, stepped.history, rtol=1e-12)
    assert whole.steps == stepped.steps
    assert (used.episodes, used.steps) == (used_too.episodes, used_too.steps)
    assert used.episodes == whole.episodes + whole.roll_outs
    if ends:
        assert used.steps < 3 * used.episodes


def test_episodes_that_end():
    mdp, phi = ending_model()
    uniform = np.full((4, 2), 0.5)
    found = rlt.lsvi_ucb_ent(rlt.online(mdp, 1), uniform, 0.5, 0.05, episodes=10**5, features=phi)
    best = rlt.solve_regularized(mdp, 0.5, uniform)
    q = best.q.reshape(3, 4, 2)
    assert (found.q_lower <= q + 1e-9).all() and (q <= found.q_upper + 1e-9).all()
    own = rlt.evaluate_regularized(mdp, found.policy, 0.5, uniform)[0]
    assert mdp.initial @ (best.value[0] - own) <= found.bound


def test_an_access_goes_on_where_it_was():
    access = rlt.online(MDP, 0)
    first = rlt.lsvi_ucb_ent(access, UNIFORM, 0.5, 0.01, episodes=40, radius=0.3)
    second = rlt.lsvi_ucb_ent(access, UNIFORM, 0.5, 0.01, episodes=40, radius=0.3)
    assert not np.array_equal(first.q_upper, second.q_upper)


def test_nothing_to_learn():
    one_stage = rlt.random_linear_mdp(4, 2, 2, 1, seed=0)
    found = rlt.lsvi_ucb_ent(online(one_stage), np.full((4, 2), 0.5), 0.3, 0.01, episodes=5)
    assert found.stopped and found.episodes == found.roll_outs == 0 and found.bound == 0.0
    exact = rlt.solve_regularized(one_stage.tabular(), 0.3, np.full((4, 2), 0.5))
    assert np.allclose(found.policy, exact.policy)
    warm = rlt.lsvi_ucb_ent(online(MDP), UNIFORM, 1e6, 1e-3, episodes=5)
    assert warm.stopped and warm.episodes == 0
    certain = np.zeros((5, 3), dtype=float)
    certain[:, 1] = 1.0
    fixed = rlt.lsvi_ucb_ent(online(MDP), certain, 0.5, 0.05, episodes=5)
    assert fixed.stopped and fixed.bound <= 0.05  # no choice, no loss: X is 0 in every roll-out


def test_small_temperature():
    found = rlt.lsvi_ucb_ent(online(MDP), UNIFORM, 1e-6, 0.3, episodes=2000, radius=0.3, seed=1)
    assert np.isfinite(found.policy).all() and np.allclose(found.policy.sum(axis=2), 1)
    assert found.bound <= 3.0  # the linear term of the minimum, not the square over 8e-6


# --- numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("d", "episodes", "beta"), [(6, 10**3, 73.6), (6, 10**5, 82.3), (2, 10**4, 33.7)]
)
def test_radius_of_the_specification(d, episodes, beta):
    assert round(rlt.lsvi_ucb_ent_radius(d, 3, episodes, 0.1), 1) == beta


@pytest.mark.parametrize("ridge", [1.0, 0.01])
@pytest.mark.parametrize("d", [1, 5, 40])
def test_radius_is_the_smallest_fixed_point(d, ridge):
    H, T, delta = 4, 700, 0.05

    def right(beta):
        eps = H * math.sqrt(d / T)
        net = d * math.log(1 + 4 * H * math.sqrt(d * T / ridge) / eps)
        net += d * d * math.log(1 + 8 * math.sqrt(d) * beta**2 / (ridge * eps**2))
        level = d / 2 * math.log(1 + T / (ridge * d)) + math.log(4 * H / delta) + net
        return math.sqrt(ridge * d) * H + H / math.sqrt(2) * math.sqrt(level) + 2 * eps * T**0.5

    beta = rlt.lsvi_ucb_ent_radius(d, H, T, delta, ridge)
    assert right(beta) <= beta <= right(beta) * (1 + 1e-8)
    assert all(right(x) > x for x in np.linspace(0.1, beta * 0.999, 50))


@pytest.mark.parametrize("m", [5, 60, 150])
@pytest.mark.parametrize("mu", [0.01, 0.3, 0.9])
@pytest.mark.parametrize("check", [1, 7])
def test_bound_of_roll_outs_by_binomial_sums(m, mu, check):
    """Bernoulli roll-outs are the widest of their mean: what falls short has its stated chance."""
    short = [n for n in range(m + 1) if roll_out_bound(2 * n / m, m, check, 0.1, 2.0) < 2 * mu]
    below = float(binom.pmf(short, m, mu).sum())
    assert below <= 0.1 / (2 * check * (check + 1))


def test_bound_of_roll_outs_at_the_ends():
    assert roll_out_bound(0.0, 10, 1, 0.1, 0.0) == 0.0
    assert roll_out_bound(2.0, 10, 1, 0.1, 2.0) == 2.0
    level = math.log(40) / 100
    assert roll_out_bound(0.0, 100, 1, 0.1, 3.0) == pytest.approx(3 * -math.expm1(-level))


# --- errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"access": MDP}, AccessError, "rltheory.online"),
        ({"access": online(TABLE)}, ModelError, "features are missing"),
        ({"features": np.ones((4, 3, 1))}, ModelError, "features has shape"),
        ({"features": np.full((5, 3, 1), 2.0)}, ModelError, "norm 2"),
        ({"temperature": 0.0}, ModelError, "temperature is 0.0"),
        ({"epsilon": 0.0}, ModelError, "epsilon is 0.0"),
        ({"delta": 1.0}, ModelError, "delta is 1.0"),
        ({"episodes": 0}, ModelError, "episodes is 0"),
        ({"ridge": 2.0}, ModelError, "ridge is 2.0"),
        ({"ridge": -1.0, "radius": 1.0}, ModelError, "ridge is -1.0"),
        ({"radius": -1.0}, ModelError, "radius is -1.0"),
        ({"radius": [1.0, 2.0]}, ModelError, "3 of them"),
        ({"radius": "much"}, ModelError, "radius is 'much'"),
        ({"roll_outs": 0}, ModelError, "roll_outs is 0"),
        ({"reference": np.full((5, 3), 0.5)}, PolicyError, "sum"),
    ],
)
def test_errors(change, error, message):
    arguments = {
        "access": online(MDP),
        "reference": UNIFORM,
        "temperature": 1.0,
        "epsilon": 0.1,
        "episodes": 10,
    } | change
    with pytest.raises(error, match=message):
        rlt.lsvi_ucb_ent(**arguments)


def test_errors_of_models():
    phi = np.eye(2).reshape(1, 2, 2)
    paid = rlt.LinearMDP(phi, np.ones((1, 2, 1)), [[2.0, 0.0]], [1.0])
    with pytest.raises(ModelError, match="must be in \\[0, 1\\]"):
        rlt.lsvi_ucb_ent(online(paid), [[0.5, 0.5]], 1.0, 0.1, episodes=1)
    nowhere = rlt.LinearMDP(phi, np.ones((1, 2, 1)), [[1.0, 0.0]])
    with pytest.raises(ModelError, match="start law"):
        rlt.lsvi_ucb_ent(online(nowhere), [[0.5, 0.5]], 1.0, 0.1, episodes=1)
    for change in ({"mean": 3.0}, {"check": 0}, {"delta": 0.0}, {"roll_outs": 0}):
        good = {"mean": 0.1, "roll_outs": 3, "check": 1, "delta": 0.1, "most": 1.0}
        with pytest.raises(ModelError):
            roll_out_bound(**(good | change))


def test_errors_of_the_core():
    learner = core()
    keys = np.zeros(8, dtype=np.uint64)
    with pytest.raises(ValueError, match="a plan made"):
        learner.explore(WORLD, keys, 0, 0, 1)
    learner.plan()
    with pytest.raises(ValueError, match="keys"):
        learner.explore(WORLD, keys[:4], 0, 0, 1)
    other = rlt.random_episodic(4, 3, horizon=3, seed=0)
    with pytest.raises(ValueError, match="other stages, states or actions"):
        learner.roll_out(_core.learning.World(other.core, other.initial, 3), keys, 0, 0, 1)
    with pytest.raises(ValueError, match="other stages"):
        _core.learning.World(TABLE.core, MDP.initial, 4)
    with pytest.raises(ValueError, match="initial"):
        _core.learning.World(TABLE.core, MDP.initial[:2].copy(), 3)
    for wrong in ((3, 0, 0, 0), (0, 5, 0, 0), (0, 0, 3, 0), (0, 0, 0, 5), (0, 0, 0, -2)):
        with pytest.raises(ValueError, match="is not in"):
            learner.observe(*wrong)
    with pytest.raises(ValueError, match="forbids every action"):
        core(reference=np.zeros((3, 5, 3)))
    with pytest.raises(ValueError, match="temperature"):
        core(temperature=math.nan)
    with pytest.raises(ValueError, match="radii"):
        core(radius=-1.0)
