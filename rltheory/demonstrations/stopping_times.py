r"""How many episodes regularised best-policy identification plays, against epsilon.

By `demo-cert-size` it has stopped once every pair has been visited n(epsilon) times, the least n
whose `certificate_size` is at most epsilon; on a model where all pairs are reached the number of
episodes is that times a factor which changes little with epsilon. Without the regulariser the
certificate is an interval and not its square, and the number grows like 1 / epsilon^2.
"""

from rltheory.claims.claim import Claim, Measurement, Mutant, Rate
from rltheory.claims.family import Instance
from rltheory.demonstrations.best_policy_identification import BestPolicyIdentification
from rltheory.demonstrations.regularized_bpi import RegularizedBPI, least_visits
from rltheory.mdp.access import online
from rltheory.mdp.generators import random_episodic
from rltheory.mdp.policies import uniform_policy
from rltheory.mdp.streams import Stream

__all__ = ["CLAIMS"]

STATES, ACTIONS, HORIZON = 3, 2, 3
TEMPERATURE, DELTA = 0.2, 0.1
INVERSE_EPSILON = (2.5, 5.0, 10.0, 20.0)


def _random_model(seed: int) -> Instance:
    return Instance(mdp=random_episodic(STATES, ACTIONS, HORIZON, seed=seed))


def _bound(inverse_epsilon: float) -> int:
    """n(epsilon)."""
    return least_visits(1.0 / inverse_epsilon, STATES, ACTIONS, HORIZON, TEMPERATURE, DELTA)


def _check(instance: Instance, x: float, stream: Stream) -> Measurement:
    learner = RegularizedBPI(uniform_policy(instance.mdp), TEMPERATURE, 1.0 / x, DELTA)
    return _measured(learner, instance, x, stream)


def _unregularised(instance: Instance, x: float, stream: Stream) -> Measurement:
    return _measured(BestPolicyIdentification(1.0 / x, DELTA), instance, x, stream)


def _measured(
    learner: RegularizedBPI | BestPolicyIdentification,
    instance: Instance,
    x: float,
    stream: Stream,
) -> Measurement:
    seed = stream.integer(2**31)
    result = learner.run(online(instance.mdp, seed=seed), seed=seed)
    return Measurement(result.episodes, _bound(x))


CLAIMS = (
    Claim(
        id="demo-rate-eps",
        kind="rate",
        check=_check,
        title="Episodes of regularised best-policy identification against epsilon",
        statement=r"""Let $n(\varepsilon)$ be the least number of visits of every pair at which the
certificate is at most $\varepsilon$ (`demo-cert-size`), which grows like $1/(\lambda\varepsilon)$ up to
logarithms. The number of episodes until UCBVI-Ent+ stops is
$$E[\tau]=\Theta(n(\varepsilon)),\qquad\varepsilon\in\{2/5,1/5,1/10,1/20\},$$
on two random models with $S=3$, $A=2$, $H=3$, the uniform reference, $\lambda=1/5$ and
$\delta=1/10$: the slope of $\log E[\tau]$ over $\log(1/\varepsilon)$ is that of $n$, 1.05, and not
that of $1/\varepsilon^2$.""",
        source="Tiapkin et al., Demonstration-Regularized RL, ICLR 2024 (shape); this project",
        provenance=("paper", "derived"),
        named={
            "random model 3": lambda: _random_model(3),
            "random model 6": lambda: _random_model(6),
        },
        rate=Rate(INVERSE_EPSILON, theta=True, margin=0.1),
        mutants=(
            Mutant(
                "no-regulariser", "the greedy baseline, which is not regularised", _unregularised
            ),
        ),
        bound=_bound,
    ),
    Claim(
        id="demo-rate-lambda",
        kind="context",
        check=_check,
        title="Episodes of regularised best-policy identification against the temperature",
        statement=r"""The published rate has $1/\lambda$, as $n(\varepsilon)$ of `demo-rate-eps` does. On
one model the explored policy changes with $\lambda$, and the number of episodes is 0 once $\lambda$ is
large (`demo-regime`), so that it falls faster than $1/\lambda$: a slope of one model neither confirms nor
refutes the bound. What is proved of it is `demo-cert-size`; the sweep
`experiments/bpi_laws.py` shows it.""",
        source="Tiapkin et al., Demonstration-Regularized RL, ICLR 2024",
        provenance=("paper", "reconstructed"),
    ),
)
