"""The command ``rltheory``: declares what can be typed, and how each ending is told.

Exit codes: 0 done; 1 the answer is not what was asked for (a tolerance that was not reached, a
claim that is refuted); 2 bad input; 130 interrupted; 141 the reader of the output went away. Bad
input gets one line, ``rltheory: error: ...``, and nothing else is written.

Numpy and the compiled core are imported by the commands, not here: ``--help`` and a mistyped
option are answered at once. A new command is one function in `COMMANDS`.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from rltheory.commands import numbers
from rltheory.commands.messages import say
from rltheory.errors import RLTheoryError

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction["_Parser"]


class _UsageError(Exception):
    """What was typed cannot be understood."""


class _Parser(argparse.ArgumentParser):
    """Reports a mistake in one line, without the usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)
        # As Python 3.14 has it: "--tol -1e-3" is a negative number, not an unknown option.
        self._negative_number_matcher = re.compile(r"-\.?\d")

    def error(self, message: str) -> NoReturn:
        raise _UsageError(message)


class _Version(argparse.Action):
    """Looks the version up only when asked for it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"rltheory {version('rltheory')}")
        parser.exit()


def _solve(commands: "Subparsers") -> None:
    parser = commands.add_parser(
        "solve",
        help="solve models, with a proof of how good each answer is",
        description="Solve tabular models. Each answer comes with certified bounds of the "
        "optimal value.",
    )
    add = parser.add_argument
    add(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="a model file (.npz, .drn, .tra, .prism, .jani, ...), gym:ID, or a generator such as "
        "garnet:states=1000,actions=4,branching=5,seed=0",
    )
    criterion = parser.add_mutually_exclusive_group()
    add_criterion = criterion.add_argument
    add_criterion("--discount", type=numbers.discount, metavar="G", help="in [0, 1): 0.9 or 9/10")
    add_criterion("--horizon", type=numbers.horizon, metavar="H", help="number of stages")
    for name in ("average", "total"):
        add_criterion(
            f"--{name}",
            dest="criterion",
            action="store_const",
            const=name,
            help=f"the {name} reward criterion",
        )
    for option, help_text in (
        (
            "--reward",
            "which reward model of a file; 'reach': 1 on reaching the goal; --reward=-R: a cost",
        ),
        ("--goal", "label of the states of a file at which the run ends"),
        ("--constants", "values of the constants of a PRISM or JANI file: N=3,p=0.5"),
    ):
        add(option, metavar=option[2].upper(), help=help_text)
    add("--method", default="auto", metavar="M", help="auto (default), value-iteration, ...")
    accuracy = parser.add_mutually_exclusive_group()
    for option, help_text in (
        ("--tol", "largest certified gap"),
        ("--rtol", "the same, relative to the largest value (default 1e-10)"),
    ):
        accuracy.add_argument(option, type=numbers.tolerance, metavar="T", help=help_text)
    add("--exact", action="store_true", help="solve in rationals (small models)")
    add("--json", action="store_true", help="print one JSON object per source and line")
    add(
        "--output",
        metavar="FILE",
        help="keep everything in FILE.json, or the certificate of a single source in FILE.npz",
    )
    add("--report", metavar="FILE", help="write a page, FILE.html or FILE.md")
    parser.set_defaults(run=_run_solve)


def _run_solve(options: argparse.Namespace) -> int:
    from rltheory.commands.solve import run

    return run(options)


def _claims(commands: "Subparsers") -> None:
    parser = commands.add_parser(
        "claims",
        help="list the theorems that can be put to the test",
        description="List the registered claims: of this package, and of others that add theirs.",
    )
    parser.add_argument("--topic", metavar="T", help="those of one topic")
    parser.add_argument("--json", action="store_true", help="print a JSON list of objects")
    parser.set_defaults(run=_run_claims)


def _run_claims(options: argparse.Namespace) -> int:
    from rltheory.commands.claims import run

    return run(options)


def _verify(commands: "Subparsers") -> None:
    parser = commands.add_parser(
        "verify",
        help="put theorems and their mutants to the test",
        description="Verify claims. Exit code 0: nothing is refuted, in error or toothless; "
        "1: something is.",
    )
    add = parser.add_argument
    add(
        "claims",
        nargs="*",
        metavar="CLAIM",
        help="an id ('rltheory claims' lists them), or your own in FILE.py or FILE.py:ID",
    )
    add("--topic", metavar="T", help="all claims of a topic")
    add("--all", action="store_true", help="all registered claims")
    add(
        "--budget",
        choices=("quick", "standard", "deep"),
        default="standard",
        help="40, 200 (default) or 2,000 instances of each family",
    )
    add("--jobs", type=numbers.jobs, default=1, metavar="N", help="processes (default 1)")
    add("--seed", type=numbers.seed, default=0, metavar="N", help="of the instances (default 0)")
    add(
        "--strict",
        action="store_true",
        help="compare every status with the table of what each claim should be",
    )
    add("--json", metavar="FILE", help="write the verdicts as JSON; - is standard output")
    add("--report", metavar="FILE", help="write a page, FILE.html or FILE.md")
    add("--date", metavar="TEXT", help="a date to print in the report")
    add(
        "--store",
        metavar="DIR",
        default="counterexamples",
        help="where instances that refute a claim are kept (default: counterexamples)",
    )
    add("--replay", metavar="FILE", help="measure the one claim again on a stored instance")
    parser.set_defaults(run=_run_verify)


def _run_verify(options: argparse.Namespace) -> int:
    from rltheory.commands.verify import run

    return run(options)


def _sweep(commands: "Subparsers") -> None:
    parser = commands.add_parser(
        "sweep",
        help="run an experiment over a grid of parameters; run again, it goes on",
        description="Run the sweep that FILE defines. Every trial is stored before it counts; "
        "what is stored is not run again. Exit code 1: a trial failed.",
    )
    add = parser.add_argument
    add("file", metavar="FILE", help="a Python file with  sweep = rlt.Sweep(...)")
    add("--out", metavar="DIR", help="folder of the ledger (default: runs/NAME)")
    add("--jobs", type=numbers.jobs, default=1, metavar="N", help="processes (default 1)")
    add("--backend", choices=("loky", "dask"), default="loky", help="this machine, or a cluster")
    add("--address", metavar="A", help="of a dask scheduler")
    add("--shard", type=numbers.shard, metavar="I/N", help="only every N-th trial, from the I-th")
    add("--merge", nargs="+", metavar="DIR", help="take the trials of other folders, run nothing")
    add("--compare", metavar="DIR", help="with the run in another folder, or with older code")
    add("--export", action="append", metavar="FILE", help="write the trials: .csv or .parquet")
    add("--table", action="store_true", help="show every point")
    add("--no-figure", action="store_true", help="write no figures and no HTML page")
    add("--seed", type=numbers.seed, default=0, metavar="N", help="root of all seeds (default 0)")
    add("--block", type=numbers.block, metavar="N", help="trials a worker gets at once")
    add("--retry", action="store_true", help="run again the trials that failed")
    add("--trial", nargs=2, metavar=("POINT", "SEED"), help="run one trial here, store nothing")
    parser.set_defaults(run=_run_sweep)


def _run_sweep(options: argparse.Namespace) -> int:
    from rltheory.commands.sweep import run

    return run(options)


def _bandit(commands: "Subparsers") -> None:
    parser = commands.add_parser(
        "bandit",
        help="bound what arms that tire and recover can earn, exactly",
        description="Print guarantee, schedules, optimum and relaxation of last-switch-dependent "
        "arms, all in fractions. Exit code 1: they are not in the order that is proved.",
    )
    add = parser.add_argument
    add(
        "arms",
        nargs="+",
        metavar="ARM",
        help="blocking:3 or blocking:3,4/5 (delay, reward), recharging:0,1/2,1 (by the rounds "
        "since the last play), lsd:1/2,1:1/4,0 (after rests : after plays), gradual:...",
    )
    add("--plays", type=numbers.plays, default=1, metavar="K", help="arms a round (default 1)")
    add("--picture", metavar="FILE", help="draw a schedule, as SVG")
    add(
        "--schedule",
        choices=("optimal", "derandomized", "interleaved"),
        default="optimal",
        help="which (default optimal)",
    )
    add("--rounds", type=numbers.rounds, default=40, metavar="T", help="of the picture (40)")
    add("--seed", type=numbers.seed, default=0, metavar="N", help="of the interleaved schedule")
    add("--json", action="store_true", help="print a JSON object, numbers as fractions")
    parser.set_defaults(run=_run_bandit)


def _run_bandit(options: argparse.Namespace) -> int:
    from rltheory.commands.bandit import run

    return run(options)


COMMANDS: "tuple[Callable[[Subparsers], None], ...]" = (_solve, _claims, _verify, _sweep, _bandit)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = _Parser(prog="rltheory", description="The theory of reinforcement learning, executable.")
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code and prints what went wrong, without a traceback."""
    if sys.stdout is None:  # closed, as under a service manager
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may not be printable
    try:
        options = parser().parse_args(argv)
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except SystemExit as done:  # --help and --version
        return int(done.code or 0)
    except BrokenPipeError:
        # Python flushes once more at exit: into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        say("error", "interrupted")
        return 130
    except (_UsageError, RLTheoryError) as error:
        say("error", error)
    except OSError as error:
        say("error", f"{error.filename}: {error.strerror}" if error.filename else error)
    except MemoryError as error:
        say("error", f"not enough memory: {error}")
    return 2


if __name__ == "__main__":
    sys.exit(main())
