"""The command ``rltheory``: declares what can be typed, and how each ending is told.

Exit codes: 0 done; 1 the answer is not what was asked for (a tolerance that was not reached);
2 bad input; 130 interrupted; 141 the reader of the output went away. Bad input gets one line,
``rltheory: error: ...``, and nothing else is written.

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
        help="a model file, gym:ID, or a generator such as garnet:states=1000,actions=4,"
        "branching=5,seed=0",
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
    parser.set_defaults(run=_run_solve)


def _run_solve(options: argparse.Namespace) -> int:
    from rltheory.commands.solve import run

    return run(options)


COMMANDS: "tuple[Callable[[Subparsers], None], ...]" = (_solve,)


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
