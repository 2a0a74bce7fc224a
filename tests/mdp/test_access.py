"""Ways to use a model: what they give, what they count, what they refuse."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from scipy import sparse, stats

import rltheory as rlt
from rltheory.errors import AccessError, ModelError
from rltheory.mdp.access import Step, Used
from tests.helpers.plain_access import PlainOnline
from tests.mdp.test_sampling import LEVEL, model

RIVER = rlt.riverswim(4, discount=0.9)
RAGGED = rlt.MDP.from_pairs(
    [0, 0, 1], [1, 3, 2], [[0, 1], [0.5, 0.5], [1, 0]], [0.0, 1.0, 2.0], initial=[1, 0]
)


def play(access, actions):
    steps = []
    for action in actions:
        steps.append(access.step(action))
    return steps


def test_online_counts_episodes_and_steps():
    access = rlt.online(RIVER.episodic(3), seed=0)
    assert access.reset() == 0
    steps = play(access, [1, 1, 1])
    assert [s.ended for s in steps] == [False, False, True]
    assert access.used == Used(episodes=1, steps=3)
    access.reset()
    access.step(0)
    access.reset()  # an episode may be given up
    assert access.used == Used(episodes=3, steps=4)
    assert access.mdp_info.horizon == 3 and access.mdp_info.n_actions == 2


def test_an_end_is_told():
    mdp = rlt.MDP.deterministic([[1, -1], [0, 0]], [[1.0, 5.0], [0.0, 0.0]], initial=[1, 0])
    access = rlt.online(mdp)
    access.reset()
    assert play(access, [0, 1, 1]) == [
        Step(1.0, 1, False),
        Step(0.0, 0, False),
        Step(5.0, -1, True),
    ]
    with pytest.raises(AccessError, match="after its end"):
        access.step(0)


def test_steps_are_the_same_whoever_else_plays():
    found = []
    for skipped in (0, 1):
        access = rlt.online(RIVER.episodic(4), seed=7)
        for _ in range(3):
            access.reset()
            found.append(play(access, [1] * (4 if skipped == 0 else 2))[:2])
    assert found[:3] == found[3:]  # what an episode leaves out does not move the next one


def test_whole_and_stepped_runs_are_one():
    mdp = model(2)
    whole, stepped = rlt.online(mdp, seed=3), rlt.online(mdp, seed=3)
    stepped.whole_episodes = lambda: None
    logs = [rlt.run(rlt.UCBVI(0.1), access, 200) for access in (whole, stepped)]
    assert logs[0].returns.tolist() == logs[1].returns.tolist()
    assert whole.used == stepped.used
    for first, second in zip(logs[0].policies, logs[1].policies, strict=True):
        assert np.array_equal(first, second)


def test_generative_draws_have_the_law_of_their_rows():
    access = rlt.generative(RIVER, seed=1)
    n = 30_000
    rewards, following = access.sample([1] * n, [1] * n)
    row = RIVER.transitions[[3]].toarray()[0]
    for state, p in enumerate(row):
        assert stats.binomtest(int((following == state).sum()), n, p).pvalue > LEVEL
    assert set(rewards.tolist()) == {float(RIVER.mean_rewards[3])}
    assert access.used == Used(draws=n)


def test_counts_are_those_of_single_draws():
    first, second = rlt.generative(RAGGED, seed=2), rlt.generative(RAGGED, seed=2)
    counts = first.counts(50)
    _, following = second.sample(np.repeat([0, 0, 1], 50), np.repeat([1, 3, 2], 50))
    assert counts.visits.tolist() == [[0, 50, 0, 50], [0, 0, 50, 0]]
    table = counts.next_counts.toarray().reshape(2, 4, 2)
    for (s, a), block in zip([(0, 1), (0, 3), (1, 2)], following.reshape(3, 50), strict=True):
        assert table[s, a].tolist() == np.bincount(block, minlength=2).tolist()
    assert counts.reward_sums[1, 2] == 100.0 and counts.reward_sums[0, 0] == 0.0
    assert first.used == second.used == Used(draws=150)
    again = first.counts(50)
    assert (again.next_counts != counts.next_counts).nnz > 0  # new words


def test_many_draws_end_on_ctrl_c():
    access = rlt.generative(rlt.garnet(1000, 4, branching=10, seed=0))
    sent = [0.0]

    def interrupt():
        sent[0] = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.2, interrupt)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            access.counts(10**7)  # some ten minutes
        assert time.perf_counter() - sent[0] < 20.0
    finally:
        timer.cancel()
        timer.join()
        signal.signal(signal.SIGINT, handler)
    assert access.used == Used()


def test_counts_of_models_whose_stages_differ():
    mdp = model(stationary=False)
    counts = rlt.generative(mdp, seed=0).counts(20)
    assert counts.visits.shape == (4, 5, 3) and (counts.visits == 20).all()
    assert counts.provenance.horizon == 4 and counts.provenance.access == "generative"
    assert (counts.ends >= 0).all() and counts.ends.sum() > 0


def test_stages_are_asked_for_where_they_differ():
    access = rlt.generative(model(stationary=False))
    with pytest.raises(AccessError, match="say at which ones"):
        access.sample([0], [0])
    assert len(access.sample([0, 1], [0, 2], [3, 0])[0]) == 2
    with pytest.raises(AccessError, match=r"stage 4 is asked for; there are 0\.\.3"):
        access.sample([0], [0], [4])


def test_a_local_simulator_draws_where_it_has_been():
    access = rlt.local_simulator(RIVER, seed=0)
    with pytest.raises(AccessError, match="state 0 is asked for; this access has not shown"):
        access.sample([0], [1])
    access.reset()
    _, following = access.sample([0] * 50, [1] * 50)
    assert 1 in following.tolist()
    access.sample([1], [1])  # shown by a draw
    with pytest.raises(AccessError, match="state 3 is asked for"):
        access.sample([0, 3], [1, 1])
    assert access.used == Used(episodes=1, draws=51)
    with pytest.raises(AccessError, match="every pair"):
        access.counts(5)


def test_a_local_simulator_of_episodes_remembers_stages():
    access = rlt.local_simulator(RIVER.episodic(3), seed=0)
    access.reset()
    with pytest.raises(AccessError, match="state 0 at stage 1"):
        access.sample([0], [0], [1])
    access.step(0)
    access.sample([0], [0], [1])  # whose next state is shown at stage 2
    access.sample([0], [0], [2])
    with pytest.raises(AccessError, match="state 1 at stage 2"):
        access.sample([1], [0], [2])


def test_draws_do_not_move_episodes():
    plain, watched = rlt.online(RIVER, seed=5), rlt.local_simulator(RIVER, seed=5)
    for access in (plain, watched):
        access.reset()
    for _ in range(20):
        watched.sample([0], [0])
        assert plain.step(1) == watched.step(1)


def test_resets_to_mu():
    mu = np.array([[0, 1.0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    access = rlt.mu_reset(RIVER.episodic(3), mu)
    assert access.reset() == 0
    assert [access.reset(from_mu=True, stage=h) for h in range(3)] == [1, 2, 3]
    assert access.step(0).ended  # stage 2 is the last one
    assert access.used == Used(episodes=4, steps=1, resets=3)
    with pytest.raises(AccessError, match="stage 3 is asked for"):
        access.reset(from_mu=True, stage=3)
    with pytest.raises(AccessError, match="the start law is that of stage 0"):
        access.reset(stage=1)


def test_mu_resets_have_the_law_mu():
    access = rlt.mu_reset(RIVER, [0.0, 0.25, 0.0, 0.75], seed=1)
    n = 4000
    drawn = [access.reset(from_mu=True) for _ in range(n)]
    assert set(drawn) == {1, 3}
    assert stats.binomtest(drawn.count(1), n, 0.25).pvalue > LEVEL


def test_hybrid_shows_what_mu_gives():
    access = rlt.hybrid(RIVER, [0, 0, 0, 1.0])
    with pytest.raises(AccessError, match="state 3"):
        access.sample([3], [0])
    access.reset(from_mu=True)
    access.sample([3], [0])
    assert access.used == Used(episodes=1, draws=1, resets=1)


@pytest.mark.parametrize("action", [2, -1, True, 0.5, "a", None])
def test_actions_that_are_not_there(action):
    access = rlt.online(RIVER)
    access.reset()
    with pytest.raises(AccessError, match="it has the actions 0, 1"):
        access.step(action)


@pytest.mark.parametrize(
    ("states", "actions", "message"),
    [
        ([4], [0], r"state 4 is asked for; there are 0\.\.3"),
        ([-1], [0], "state -1"),
        (np.array([2**64 - 1], dtype=np.uint64), [0], r"state 9223372036854775807 is asked for"),
        ([0], [2], "action 2 is asked for in state 0; it has the actions 0, 1"),
        ([0, 1], [0], "2 states, 1 actions"),
        ([0.5], [0], "must be integers"),
        ([[0]], [[0]], "in one row"),
    ],
)
def test_pairs_that_are_not_there(states, actions, message):
    access = rlt.generative(RIVER)
    with pytest.raises(AccessError, match=message):
        access.sample(states, actions)
    assert access.used == Used()


def test_pairs_that_a_ragged_model_lacks():
    access = rlt.generative(RAGGED)
    for action in (0, 2, 4, -1):
        with pytest.raises(AccessError, match="it has the actions 1, 3"):
            access.sample([0, 0], [1, action])


def test_bad_arguments_are_named():
    with pytest.raises(AccessError, match="before the first reset"):
        rlt.online(RIVER).step(0)
    with pytest.raises(ModelError, match="no start law"):
        rlt.online(rlt.MDP([[[1.0]]], [[0.0]]))
    for mu, message in (
        ([1.0], "shape"),
        ([0.5, 0, 0, 0], "sums to 0.5"),
        ([2, -1, 0, 0], "at least 0"),
        ([np.nan, 0, 0, 1], "sums to nan"),
        ("abc", "must hold real numbers"),
        ([1j, 0, 0, 0], "must hold real numbers"),
        ([[1], [1, 2]], "ragged"),
    ):
        with pytest.raises(ModelError, match=message):
            rlt.mu_reset(RIVER, mu)
    for n in (0, 1.5, True, 2**60, 2**63):
        with pytest.raises(ModelError, match="n is"):
            rlt.generative(RIVER).counts(n)
    with pytest.raises(ModelError, match="cannot be sampled"):
        rlt.generative([[1.0]])
    with pytest.raises(ModelError, match="seed is"):
        rlt.online(RIVER, seed=-1)


def test_the_repr_says_what_was_used():
    access = rlt.generative(RIVER)
    access.sample([0], [0])
    text = "Generative(MDPInfo(n_states=4, n_actions=2, horizon=None, discount=0.9), Used("
    assert repr(access).startswith(text)


def test_online_is_its_plain_twin():
    mdp = model(4, stationary=False)
    logs = [
        rlt.run(rlt.UCBVI(0.1), access, 300) for access in (rlt.online(mdp, 6), PlainOnline(mdp, 6))
    ]
    assert logs[0].returns.tolist() == logs[1].returns.tolist()
    assert [p.tolist() for p in logs[0].policies] == [p.tolist() for p in logs[1].policies]
    one, two = rlt.online(mdp, 7), PlainOnline(mdp, 7)
    for _ in range(20):
        assert one.reset() == two.reset()
        ended = False
        while not ended:
            mine, plain = one.step(1), two.step(1)
            assert (mine.reward, mine.state, mine.ended) == (plain.reward, plain.state, plain.ended)
            ended = mine.ended


def test_large_models_have_start_laws():
    size = 100_000
    rows = sparse.eye_array(size, format="csr")
    law = np.full(size, 1.0 / size)
    mdp = rlt.MDP(rows, np.zeros((size, 1)), discount=0.9, initial=law)
    access = rlt.hybrid(mdp, law, seed=0)
    state = access.reset()
    assert access.step(0).state == state  # each state stays
    assert access.reset(from_mu=True) != state
    data = mdp.sample(np.zeros(size, dtype=np.int64), 1000, steps=2)
    assert len(set(data.states.tolist())) > 950


def test_linear_models_are_used_through_their_table():
    mdp = rlt.random_linear_mdp(6, 3, 2, horizon=3, seed=0)
    access = rlt.online(mdp, seed=1)
    assert access.mdp_info.features.shape == (6, 3, 2)
    access.reset()
    assert not access.step(0).ended
    data = rlt.sample(mdp, np.zeros(6, dtype=np.int64), 5)
    assert data.lengths.tolist() == [3] * 5


# --- what is known besides ----------------------------------------------------------------


def test_rewards_and_start_law_are_said_where_they_are_known() -> None:
    rows, paid, start = [[0, 1], [0, 1], [1, 0]], [0.0, 1.0, 0.5], [0.25, 0.75]
    ragged = rlt.MDP.from_pairs([0, 0, 1], [0, 1, 1], rows, paid, initial=start)
    known = rlt.online(ragged.episodic(2), 0).known()
    np.testing.assert_array_equal(known.rewards, [[[0.0, 1.0], [np.nan, 0.5]]] * 2)
    assert known.initial.tolist() == start and not known.may_end
    staged = rlt.EpisodicMDP(
        [[[[0.5]]], [[[1.0]]]], [[[0.25]], [[1.0]]], 2, [1.0], termination=[[[0.5]], [[0.0]]]
    )
    known = rlt.online(staged, 0).known()
    assert known.rewards.tolist() == [[[0.25]], [[1.0]]] and known.may_end


def test_random_rewards_are_not_known() -> None:
    mdp = rlt.EpisodicMDP([[[1.0]]], [[0.5]], 2, [1.0], reward_law=rlt.Bernoulli())
    with pytest.raises(ModelError, match="random numbers"):
        rlt.online(mdp, 0).known()
    with pytest.raises(ModelError, match="no horizon"):
        rlt.online(rlt.riverswim(3), 0).known()


def test_what_another_kind_of_access_offers_is_refused() -> None:
    mdp = rlt.riverswim(4).episodic(3)
    for call, words in (
        (lambda: rlt.generative(mdp).reset(), "reset is asked for; Generative offers sample and"),
        (lambda: rlt.online(mdp).sample([0], [0]), "Online offers reset and step"),
        (lambda: rlt.PlugIn(5)(rlt.online(mdp)), "counts is asked for; Online offers"),
        (lambda: rlt.SampleBracket(0.1, 5)(rlt.mu_reset(mdp, [1, 0, 0, 0])), "MuReset offers"),
    ):
        with pytest.raises(rlt.AccessError, match=words):
            call()
    assert not hasattr(rlt.generative(mdp), "reset") and hasattr(rlt.online(mdp), "reset")
