"""What is published about these bandits, as far as abstracts say it: documentation, no verdict."""

from typing import Any

from rltheory.claims.claim import Claim

__all__ = ["CLAIMS"]


def _nothing(instance: Any) -> list[Any]:
    return []


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="paper-facts",
        kind="context",
        check=_nothing,
        title="What is published about last-switch-dependent bandits",
        statement=r"""Planning is NP-hard (Laforgue et al.; Foussoul et al.), for blocking arms also
in pseudo-polynomial time under randomised ETH (Basu et al.). Under monotone payoffs there is an
efficient constant-factor algorithm, by a relaxation in more dimensions and mirrored virtual states,
with a factor that almost matches the best one for recharging arms, and an online version with
sublinear regret against it (Foussoul et al.). For recharging arms the factor is $1-1/e$,
asymptotically and in expectation, by randomised rounding and interleaving (Papadigenopoulos et
al.); greedy has it for blocking arms, asymptotically (Basu et al.).

Only abstracts were read: no constant and no rate is asserted in the name of Foussoul et al., and
neither is which monotonicity they assume. What is asserted here is derived, with proofs: the factor
$c_{N,k}$ (`lsd-round-ratio`), greedy in every $T$ (`blk-greedy`), regret (`lsd-etc-regret`,
`lsd-ucb-regret`).""",
        source="Foussoul, Goyal, Papadigenopoulos and Zeevi, ICML 2023; Laforgue et al., AISTATS "
        "2022; Papadigenopoulos, Caramanis and Shakkottai, NeurIPS 2022; Basu et al., NeurIPS 2019",
        provenance=("paper", "paper"),
    ),
)
