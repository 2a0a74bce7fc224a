r"""How many episodes certified exploration plays, against epsilon and against demonstrations.

By `demo-cert-size` it has stopped once every pair has been visited n(epsilon) times, the least n
whose `certificate_size` is at most epsilon; on a model where all pairs are reached the number of
episodes is that times a factor which changes little with epsilon. With D in place of
min{D, D^2 / (8 temperature)} in the certificate, or without the regulariser, it grows like
1 / epsilon^2. The pipeline's temperature is proportional to the number N of demonstrations, so that
its episodes fall at least like 1 / N.

Each trial has its own share, about 1/20, by which looks at the certificate grow apart: with one
share for all, late runs stop at the same look, and what is between looks would not be seen.
"""

from functools import partial
from typing import Any

from rltheory.claims.claim import Claim, Measurement, Mutant, Rate
from rltheory.claims.family import Instance
from rltheory.demonstrations.stopping_times import (
    GROWTH,
    greedy_time,
    linear_time,
    regularized_time,
    taught,
    visits_needed,
)
from rltheory.mdp.streams import Stream

__all__ = ["CLAIMS"]

TEMPERATURE = 0.2
INVERSE_EPSILON = (2.5, 5.0, 10.0, 20.0)
DEMONSTRATIONS = (200, 400, 800, 1600)
EPSILON = 0.2


def _seed(stream: Stream) -> int:
    return stream.integer(2**31)


def _growth(stream: Stream) -> float:
    return GROWTH * (0.8 + 0.4 * stream.uniform())


def _visits(inverse_epsilon: float) -> int:
    """n(epsilon)."""
    return visits_needed(1.0 / inverse_epsilon, TEMPERATURE)


def _regularised(instance: Any, x: float, stream: Stream) -> Measurement:
    time = regularized_time(_seed(stream), 1.0 / x, TEMPERATURE, _growth(stream))
    return Measurement(time, _visits(x))


def _linear(instance: Any, x: float, stream: Stream) -> Measurement:
    most = 2**21
    time = linear_time(_seed(stream), 1.0 / x, TEMPERATURE, most, _growth(stream))
    return Measurement(time, _visits(x), censored=time >= most)


def _greedy(instance: Any, x: float, stream: Stream) -> Measurement:
    return Measurement(greedy_time(_seed(stream), 1.0 / x, _growth(stream)), _visits(x))


def _taught(instance: Any, n: float, stream: Stream, inverted: bool = False) -> Measurement:
    seed, growth = _seed(stream), _growth(stream)
    return Measurement(taught(seed, int(n), EPSILON, inverted, growth).episodes, 1.0 / n)


CLAIMS = (
    Claim(
        id="demo-rate-eps",
        kind="rate",
        check=_regularised,
        title="Episodes of regularised best-policy identification against epsilon",
        statement=r"""Let $n(\varepsilon)$ be the least number of visits of every pair at which the
certificate is at most $\varepsilon$ (`demo-cert-size`), which grows like
$1/(\lambda\varepsilon)$ up to logarithms. The number of episodes until UCBVI-Ent+ stops is
$$E[\tau]=\Theta(n(\varepsilon)),\qquad\varepsilon\in\{2/5,1/5,1/10,1/20\},$$
on a random model with $S=3$, $A=2$, $H=3$, the uniform reference, $\lambda=1/5$ and
$\delta=1/10$: the slope of $\log E[\tau]$ over $\log(1/\varepsilon)$ is that of $n$, 1.05, up to
a tenth, and not the 2 of $1/\varepsilon^2$.""",
        source="Tiapkin et al., Demonstration-Regularized RL, ICLR 2024 (shape); this project",
        provenance=("paper", "derived"),
        named={"random model": Instance},
        rate=Rate(INVERSE_EPSILON, theta=True, margin=0.1),
        mutants=(
            Mutant("no-square", "the certificate has D in place of its square", check=_linear),
            Mutant("no-regulariser", "the greedy baseline, certified by intervals", check=_greedy),
        ),
        bound=_visits,
    ),
    Claim(
        id="demo-rate-lambda",
        kind="context",
        check=_regularised,
        title="Episodes of regularised best-policy identification against the temperature",
        statement=r"""The published rate has $1/\lambda$, as that $n(\varepsilon)$ has.
On one model the explored policy changes with $\lambda$, and the number of episodes is 0 once
$\lambda$ is large (`demo-regime`), so that it falls faster than $1/\lambda$: a slope of one model
neither confirms nor refutes the bound. What is proved of it is `demo-cert-size`; the sweep
`experiments/bpi_laws.py` shows it.""",
        source="Tiapkin et al., Demonstration-Regularized RL, ICLR 2024",
        provenance=("paper", "reconstructed"),
    ),
    Claim(
        id="demo-rate-demos",
        kind="rate",
        check=_taught,
        title="Further episodes against demonstrations",
        statement=r"""With $N$ demonstrations of the optimal policy, the pipeline (clone, bound the
divergence, explore around the clone) plays
$$E[\tau]=O(1/N),\qquad N\in\{200,400,800,1600\},$$
further episodes, on a random model with $S=3$, $A=2$, $H=3$, $\varepsilon=1/5$ and
$\delta=1/10$: the slope of $\log(N\,E[\tau])$ over $\log N$ is not positive. Its temperature is
proportional to $N$, so that this is `demo-cert-size`.""",
        source="Tiapkin et al., Demonstration-Regularized RL, ICLR 2024 (shape); this project",
        provenance=("paper", "derived"),
        named={"random model": Instance},
        rate=Rate(DEMONSTRATIONS),
        mutants=(
            Mutant(
                "colder",
                "lambda is K epsilon / 2, not epsilon / 2K",
                check=partial(_taught, inverted=True),
            ),
        ),
        bound=lambda n: 1.0 / n,
    ),
)
