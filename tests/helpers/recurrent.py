"""Random models without ends for average reward, made to hurt: ragged, periodic, with ties, with
several closed classes, with rows off by up to 1e-9 in their sum."""

import random

import numpy as np

import rltheory as rlt

KINDS = ("mixed", "mixed", "deterministic", "dense", "split")


def recurrent_model(seed: int, most_states: int = 5) -> rlt.MDP:
    """One of them; the same for the same seed."""
    draw = random.Random(seed)
    S, kind = draw.randint(1, most_states), draw.choice(KINDS)
    states, actions, rows, rewards = [], [], [], []
    for s in range(S):
        for a in sorted(draw.sample(range(4), draw.randint(1, 3))):
            p, chance = [0.0] * S, draw.random()
            if kind == "deterministic" or (kind == "mixed" and chance < 0.4):
                p[draw.randrange(S)] = 1.0
            elif kind == "split" and chance < 0.6:
                p[s] = 1.0
            else:
                weights = [draw.choice([0, 0, 1, 1, 2, draw.random()]) for _ in range(S)]
                if not sum(weights):
                    weights[draw.randrange(S)] = 1
                p = [x / sum(weights) for x in weights]
            if draw.random() < 0.3:
                p = [x * (1 + draw.uniform(-9e-10, 9e-10)) for x in p]
            states.append(s)
            actions.append(a)
            rows.append(p)
            scale = 1e6 if seed % 7 == 0 else 1.0
            rewards.append(draw.choice([0.0, 1.0, -1.0, 0.5, draw.gauss(0, 1) * scale]))
    return rlt.MDP.from_pairs(states, actions, np.array(rows), np.array(rewards))
