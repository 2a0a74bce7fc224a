"""``rltheory verify``: put claims and their mutants to the test, show the verdicts, keep them.

All claims are found before one is verified. A run that Ctrl-C ends shows, and writes, the
verdicts that were reached and says that it is partial.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path

from rltheory.claims.claim import Measurement
from rltheory.claims.evidence import violated
from rltheory.claims.expected import differences, expected_of_topic
from rltheory.claims.pool import Chosen, Interrupted, choose, run_pool
from rltheory.claims.registry import all_claims, find_one, script_of
from rltheory.claims.verdict import Verdict
from rltheory.claims.verify import replay
from rltheory.commands.messages import one_line, say
from rltheory.commands.progress import progress
from rltheory.commands.targets import check_target, replacing
from rltheory.errors import ClaimError
from rltheory.report import terminal
from rltheory.report.files import ENDINGS, write_report
from rltheory.report.verdict_table import show_verdicts
from rltheory.report.verdicts import Run, as_json

_FAILED = ("refuted", "error", "toothless")


def run(options: argparse.Namespace) -> int:
    """Do what the arguments say; the exit code."""
    _check(options)
    # What a claim prints is told on standard error, and so is what libraries warn of: standard
    # output is for the verdicts.
    with warnings.catch_warnings(record=True) as caught, redirect_stdout(sys.stderr):
        if options.replay is not None:
            claim_id, found = _measured(options)
        else:
            chosen = _chosen(options)
            verdicts, interrupted = _verified(chosen, options)
    for warning in dict.fromkeys(one_line(each.message) for each in caught):
        say("warning", warning)
    if options.replay is not None:
        return _tell(claim_id, found, options)
    return _report(verdicts, chosen, interrupted, options)


def _check(options: argparse.Namespace) -> None:
    """Refuse, before anything is looked up, what cannot be done with any claim."""
    named = bool(options.claims or options.topic or options.all)
    if not named:
        raise ClaimError(
            "nothing to verify: name claims or scripts, or use --topic T or --all; "
            "'rltheory claims' lists what there is"
        )
    if options.replay is not None:
        for option in ("topic", "all", "strict", "json", "report"):
            if getattr(options, option):
                raise ClaimError(f"--replay with --{option}; it measures one claim, once")
        if len(options.claims) != 1:
            raise ClaimError(f"--replay with {len(options.claims)} claims; it measures one")
    scripts = [script[0] for script in map(script_of, options.claims) if script is not None]
    targets = {}
    if options.report is not None:
        targets["--report"] = Path(options.report)
        check_target("--report", Path(options.report), ENDINGS, scripts, ClaimError)
    if options.json not in (None, "-"):
        targets["--json"] = Path(options.json)
        check_target("--json", Path(options.json), (), scripts, ClaimError)
    if len({path.resolve() for path in targets.values()}) < len(targets):
        raise ClaimError(f"--json and --report are both {options.json}")
    store = Path(options.store)
    if store.exists() and not store.is_dir():
        raise ClaimError(f"--store {store}: that is not a folder")


# --- verifying ----------------------------------------------------------------------------


def _chosen(options: argparse.Namespace) -> Chosen:
    """The claims that were asked for; refuses bad tables of expected statuses as well."""
    words = list(options.claims)
    if options.topic is not None:
        words += all_claims(options.topic)
    if options.all:
        words += all_claims()
    chosen = choose(words)
    if not chosen.claims:
        where = "" if options.topic is None else f" in topic {options.topic}"
        raise ClaimError(f"no claim is registered{where}")
    if options.strict:
        for claim_id, claim in chosen.claims.items():
            if not chosen.is_of_script(claim_id):
                expected_of_topic(claim.topic)
    return chosen


def _verified(chosen: Chosen, options: argparse.Namespace) -> tuple[list[Verdict], bool]:
    """The verdicts, and whether Ctrl-C came before the last one."""
    with progress(len(chosen.claims)) as reached:
        try:
            return run_pool(
                chosen, options.budget, options.seed, options.jobs, options.store, reached
            ), False
        except Interrupted as interrupted:
            return interrupted.verdicts, True


def _report(
    verdicts: Sequence[Verdict], chosen: Chosen, interrupted: bool, options: argparse.Namespace
) -> int:
    run = Run(options.budget, options.seed, chosen.claims, version("rltheory"), options.date or "")
    if interrupted and not verdicts:
        raise KeyboardInterrupt
    if options.report is not None:
        with replacing(Path(options.report)) as new:
            write_report(new, verdicts, (), run)
    text = as_json(verdicts)
    if options.json == "-":
        sys.stdout.write(text)
    else:
        if options.json is not None:
            with replacing(Path(options.json)) as new:
                new.write_text(text, encoding="utf-8")
        show_verdicts(verdicts, run, terminal.console(sys.stdout))
    if interrupted:
        sys.stdout.flush()
        say("error", run.partial(verdicts) or "interrupted")
        return 130
    failed = any(verdict.status in _FAILED for verdict in verdicts)
    unexpected = differences(verdicts, chosen) if options.strict else []
    for line in unexpected:
        say("strict", line)
    return 1 if failed or unexpected else 0


# --- replaying ----------------------------------------------------------------------------


def _measured(options: argparse.Namespace) -> tuple[str, list[tuple[Measurement, bool]]]:
    claim = find_one(options.claims[0])
    return claim.id, [(m, violated(claim.kind, m)) for m in replay(claim, options.replay)]


def _tell(
    claim_id: str, found: Sequence[tuple[Measurement, bool]], options: argparse.Namespace
) -> int:
    """A line for each comparison, and whether the instance violates the claim."""
    for m, fails in found:
        name = f"{m.what}: " if m.what else ""
        outcome = "violated" if fails else "holds" if m.event else "says nothing here"
        sides = f"measured {m.measured}, bound {m.bound}, tolerance {m.tolerance}"
        print(f"{name}{sides}: {outcome}")
    count = sum(fails for _, fails in found)
    verb = f"violates {claim_id}" if count else f"does not violate {claim_id}"
    print(f"{options.replay} {verb}: {count} of {len(found)} comparisons fail")
    return 1 if count else 0
