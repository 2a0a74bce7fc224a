"""``rltheory solve``: read models, solve them, show the brackets, keep the answers.

All sources are read before one is solved, and nothing is printed or written before all are
solved: a command that ends with an error has written nothing.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from rltheory.commands.messages import one_line, say
from rltheory.commands.targets import check_target, replacing
from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.sources import read_source
from rltheory.report import terminal
from rltheory.report.answer import Answer, of_exact, of_nothing, of_solution
from rltheory.report.files import ENDINGS, write_report
from rltheory.report.record import record
from rltheory.report.verdicts import Run
from rltheory.solvers.exact import solve_exact
from rltheory.solvers.solve import solve


def run(options: argparse.Namespace) -> int:
    """Do what the arguments say; 0, or 1 where a tolerance was not reached."""
    _check(options)
    # Libraries may warn while an environment is made: that is told after the results.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        models = [(source, _read(source, options)) for source in options.sources]
        answers = [_answer(source, mdp, options) for source, mdp in models]
    if options.report is not None:
        with replacing(Path(options.report)) as new:
            write_report(new, (), answers, Run(version=version("rltheory")))
    if options.output is not None:
        _write(Path(options.output), answers)
    if options.json:
        for answer in answers:
            print(json.dumps(record(answer), allow_nan=False))
    else:
        terminal.show(answers, terminal.console(sys.stdout))
    for warning in dict.fromkeys(one_line(each.message) for each in caught):
        say("warning", warning)
    failures = [answer for answer in answers if answer.failure]
    for answer in failures:
        say("error", f"{answer.source}: {terminal.statement(answer)}")
    return 1 if failures else 0


def _check(options: argparse.Namespace) -> None:
    """Refuse, before anything is read, what cannot be done with any model."""
    if options.exact and options.method != "auto":
        raise ModelError(f"--exact with --method {options.method}; it has no methods to choose")
    if options.report is not None:
        path = Path(options.report)
        check_target("--report", path, ENDINGS, options.sources, ModelError)
    if options.output is None:
        return
    path = Path(options.output)
    check_target("--output", path, (".json", ".npz"), options.sources, ModelError)
    if path.suffix == ".npz" and len(options.sources) > 1:
        raise ModelError(
            f"--output {path}: an .npz file holds the certificate of one source, "
            f"{len(options.sources)} are given; use .json"
        )


def _read(source: str, options: argparse.Namespace) -> MDP | EpisodicMDP:
    discount = None if options.discount is None else float(options.discount)
    mdp = read_source(
        source,
        discount=discount,
        horizon=options.horizon,
        reward=options.reward,
        goal=options.goal,
        constants=options.constants,
        exact=options.exact,
    )
    if options.criterion is None and isinstance(mdp, MDP) and mdp.discount is None:
        raise ModelError(
            f"{source}: the model has no discount; give --discount G or --horizon H, or choose "
            "--average or --total"
        )
    return mdp


def _answer(source: str, mdp: MDP | EpisodicMDP, options: argparse.Namespace) -> Answer:
    try:
        if options.exact:
            begin = time.perf_counter()
            exact = solve_exact(mdp, options.discount, criterion=options.criterion)
            return of_exact(source, exact, time.perf_counter() - begin)
        solution = solve(
            mdp,
            criterion=options.criterion,
            method=options.method,
            tol=options.tol,
            rtol=options.rtol,
        )
    except ConvergenceError as error:
        if error.solution is None:
            return of_nothing(source, mdp, options.method, error, options.criterion)
        return of_solution(source, error.solution, failure=error.reason)
    except ModelError as fault:
        raise ModelError(f"{source}: {fault}") from None
    return of_solution(source, solution)


def _write(path: Path, answers: Sequence[Answer]) -> None:
    """Keep the full records as a JSON array, or the certificate of the only answer."""
    if path.suffix == ".json":
        objects = ",\n".join(json.dumps(record(a, full=True), allow_nan=False) for a in answers)
        with replacing(path) as new:
            new.write_text(f"[\n{objects}\n]\n", encoding="utf-8")
        return
    certificate = answers[0].certificate
    if certificate is None:
        raise ModelError(f"--output {path}: there is no certificate: {answers[0].failure}")
    with replacing(path) as new:
        certificate.save(new)
