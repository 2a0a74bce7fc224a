"""The checker that a certificate's criterion asks for; like them, standard library only."""

from typing import Any

from rltheory.solvers import checker, checker_average, checker_total
from rltheory.solvers.checker import Check

__all__ = ["check"]

_OF_CRITERION = {
    "average": checker_average.check_average,
    "total": checker_total.check_total,
}


def check(certificate: Any, model: Any) -> Check:
    """Check a certificate against a model in exact integers.

    Parameters
    ----------
    certificate : Certificate, AverageCertificate or TotalCertificate
    model : MDP, EpisodicMDP, or mapping
        The model, or its canonical arrays.

    Returns
    -------
    Check
        Truthy when accepted; `reason` says what holds, or where it fails.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim()
    >>> rlt.check(rlt.solve(mdp, criterion="average").certificate, mdp)
    Check(accepted=True, reason='all inequalities hold at 6 states and 12 rows')
    """
    own = _OF_CRITERION.get(str(getattr(certificate, "criterion", "")), checker.check)
    return own(certificate, model)
