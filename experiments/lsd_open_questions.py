"""Open questions about last-switch-dependent bandits: the worst instances found, in fractions.

    python experiments/lsd_open_questions.py [--only gap index ...] [--scale 0.1]

Every question prints the sizes that were looked at, how many instances, and the worst one. What is
printed as proved has been checked in fractions for all payoffs; what is found by search is an
instance, and no more: there may be worse ones. docs/theory/lsd_open.md has the findings. `--scale`
multiplies the numbers of instances; 1 takes some ten minutes on one core.
"""

import argparse
from collections.abc import Callable
from fractions import Fraction

import rltheory as rlt
from rltheory.lsd_bandits.families import bandit_of, rand_mono, tight
from rltheory.lsd_bandits.gap_instances import composed_bandit, nested_bandit
from rltheory.lsd_bandits.offsets import OFFSET_LAWS, offset_average

SEED = 0


def shown(bandit: rlt.LSDBandit) -> str:
    return "; ".join(map(repr, bandit.arms))


def search(objective: str, sizes: list[tuple[int, int, int, int, int]], scale: float) -> None:
    """Sizes are (N, R, M, denominator of payoffs, instances)."""
    for n_arms, rests, plays, den, count in sizes:
        count = max(500, int(count * scale))
        ratio, bandit = rlt.worst_instance(
            objective, n_arms, rests, plays, den=den, evaluations=count, seed=SEED
        )
        print(
            f"  {objective}: N={n_arms} R={rests} M={plays} payoffs /{den}, {count} instances: "
            f"{ratio} = {float(ratio):.4f} at {shown(bandit)}",
            flush=True,
        )


def gap(scale: float) -> None:
    """Is 4/5 the integrality gap?"""
    for size in [(2, 4, 2), (3, 4, 1), (3, 9, 1)] if scale >= 1 else [(2, 3, 1), (3, 3, 1)]:
        worst = rlt.worst_gap(*size)
        print(
            f"  N={size[0]} R={size[1]} M={size[2]}: least g*/LP {worst.minimum}, proved for all "
            f"payoffs by {len(worst.certificates)} mixtures, at {shown(worst.bandit)}",
            flush=True,
        )
    search("gap", [(2, 6, 2, 12, 200_000), (3, 3, 2, 6, 100_000)], scale)
    for delays, rests in [([2], 2), ([3, 4], 9), ([3, 5], 60), ([4, 5, 9], 60)]:
        bandit = composed_bandit(delays, rests)
        gain = Fraction(rlt.optimal_gain(bandit, exact=True).gain)
        ratio = gain / Fraction(rlt.concave_relaxation(bandit, exact=True).value)
        print(f"  composed of delays {delays} and {rests} rests: {ratio} = {float(ratio):.5f}")


def derandomised(scale: float) -> None:
    """Is the derandomised schedule strictly better than c_N?"""
    sizes = [(2, 2, 2, 8, 200_000), (2, 3, 2, 8, 200_000), (3, 3, 2, 6, 100_000)]
    search("derandomised", sizes, scale)
    search("derandomised_relaxation", sizes, scale)
    for n_arms, step in [(2, "1/100"), (2, "1/10000"), (3, "1/10000")]:
        bandit = nested_bandit(n_arms, step)
        relax = rlt.concave_relaxation(bandit, exact=True)
        average = Fraction(rlt.derandomized_schedule(relax).average().value)
        ratio = average / Fraction(rlt.optimal_gain(bandit, exact=True).gain)
        print(
            f"  nested, N={n_arms}, step {step}: A8/g* = {ratio} = {float(ratio):.5f}; c_N = "
            f"{rlt.guarantee(n_arms)}"
        )


def ranking(scale: float) -> None:
    """Ranking by real payoffs or by virtual ones?"""
    sizes = [(2, 3, 2, 8, 100_000), (2, 4, 3, 8, 100_000), (3, 2, 2, 6, 60_000)]
    search("real_virtual", sizes, scale)
    search("virtual_real", sizes, scale)
    search("real", sizes[:1], scale)


def index(scale: float) -> None:
    """Are arms indexable, and how good is the index policy?"""
    arms, unordered = 0, 0
    family = rand_mono(plays=(1,), most_rests=5, most_plays=4)
    for number in range(max(50, int(2000 * scale))):
        bandit = bandit_of(family.instance(family.sample("open-index", SEED, number)))
        found = [rlt.play_index(arm) for arm in bandit.arms]
        arms += len(found)
        unordered += sum(not one.indexable for one in found)
    print(f"  {unordered} of {arms} random monotone arms are not indexable")
    search("index", [(1, 3, 2, 8, 1000), (2, 2, 2, 8, 4000), (2, 3, 1, 8, 4000)], scale)
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(d, r) for d, r in ((7, 1), (3, 1), (2, 1))])
    ratio = Fraction(rlt.index_average(bandit).average) / Fraction(
        rlt.optimal_gain(bandit, exact=True).gain
    )
    print(f"  unit blocking arms 7, 3, 2: {ratio} = {float(ratio):.4f}")


def offsets(scale: float) -> None:
    """Do other offsets than independent ones help?"""
    named = {f"tight family, N={n}": tight(n) for n in (2, 3)}
    named["nested, N=2"] = nested_bandit(2, "1/1000")
    named["nested, N=3"] = nested_bandit(3, "1/1000")
    for name, bandit in named.items():
        relax = rlt.concave_relaxation(bandit, exact=True)
        gain = Fraction(rlt.optimal_gain(bandit, exact=True).gain)
        laws = OFFSET_LAWS if "tight" in name else ("independent", "spread", "best")
        ratios = {law: offset_average(relax, law) / gain for law in laws}
        print(f"  {name}: " + ", ".join(f"{law} {x}" for law, x in ratios.items()))
    least: dict[str, tuple[Fraction, str]] = {}
    total = dict.fromkeys(OFFSET_LAWS, 0.0)
    seen, behind = 0, list[str]()
    family = rand_mono(plays=(1,), arms=(2, 2, 3))
    for number in range(max(30, int(600 * scale))):
        bandit = bandit_of(family.instance(family.sample("open-offsets", SEED, number)))
        gain = Fraction(rlt.optimal_gain(bandit, exact=True).gain)
        if gain == 0:
            continue
        relax = rlt.concave_relaxation(bandit, exact=True)
        ratios = {law: offset_average(relax, law) / gain for law in OFFSET_LAWS}
        seen += 1
        if ratios["distinct"] < ratios["independent"]:
            behind.append(f"{ratios['distinct']} < {ratios['independent']} at {shown(bandit)}")
        for law, ratio in ratios.items():
            total[law] += float(ratio)
            least[law] = min(least.get(law, (Fraction(2), "")), (ratio, shown(bandit)))
    for law in OFFSET_LAWS:
        ratio, where = least[law]
        print(
            f"  {law}, {seen} random instances: mean {total[law] / seen:.4f} of g*, least {ratio} "
            f"= {float(ratio):.4f} at {where}"
        )
    print(f"  distinct offsets were behind independent ones on {len(behind)}: {behind[:1]}")


QUESTIONS: dict[str, Callable[[float], None]] = {
    f.__name__: f for f in (gap, derandomised, ranking, index, offsets)
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="lsd_open_questions")
    parser.add_argument("--only", nargs="+", choices=list(QUESTIONS), default=list(QUESTIONS))
    parser.add_argument("--scale", type=float, default=1.0)
    chosen = parser.parse_args(arguments)
    for name in chosen.only:
        print(f"{name}: {QUESTIONS[name].__doc__}")
        QUESTIONS[name](chosen.scale)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
