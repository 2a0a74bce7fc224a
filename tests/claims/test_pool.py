"""Many claims at once: the same records in one process or two, and in any order."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from scripts import FALSE, HEAD, MANY, STATUSES, TOPIC, TRUE
from topics import installed

from rltheory.claims.claim import Claim
from rltheory.claims.pool import Interrupted, choose, run_pool
from rltheory.claims.registry import all_claims, claims_of_script
from rltheory.claims.verify import verify, verify_many
from rltheory.errors import ClaimError


@pytest.fixture
def many(tmp_path):
    path = tmp_path / "many.py"
    path.write_text(MANY, encoding="utf-8")
    return str(path)


def records(claims, **options):
    verdicts = verify_many(claims, budget="quick", seed=3, **options)
    return [verdict.record(timing=False) for verdict in verdicts]


def test_records_are_the_same_for_any_jobs_and_order(many, tmp_path):
    store = tmp_path / "store"
    alone = records([many], store=store)
    assert {r["id"]: r["status"] for r in alone} == STATUSES
    assert [r["id"] for r in alone] == sorted(STATUSES)
    words = [f"{many}:{name}" for name in sorted(STATUSES, reverse=True)]
    assert records(words, store=store) == alone
    assert records([*words, many], jobs=2, store=store) == alone
    objects = list(claims_of_script(many).values())
    assert records(objects, jobs=2, store=store) == alone
    single = verify(f"{many}:false", budget="quick", seed=3, store=store)
    assert single.record(timing=False) == next(r for r in alone if r["id"] == "false")


def test_claims_of_topics_are_found_by_other_processes(tmp_path):
    with installed(tmp_path, {"abroad": (TOPIC, None)}):
        assert records(["two", "one"], jobs=2) == records(all_claims("abroad"))


def test_progress_is_told_of_every_verdict(many):
    seen = []
    verify_many([many], budget="quick", progress=lambda verdict: seen.append(verdict.id))
    assert seen == sorted(STATUSES)


def test_a_claim_that_is_named_twice_is_verified_once(many, tmp_path):
    chosen = choose([many, f"{many}:true", f"{many}:true"])
    assert set(chosen.claims) == set(STATUSES)
    assert chosen.words["true"] == f"{many}:true"
    assert chosen.is_of_script("true")
    claim = chosen.claims["true"]
    assert choose([claim, claim]).words == {}
    assert not choose([claim]).is_of_script("true")
    other = tmp_path / "other.py"
    other.write_text(TRUE, encoding="utf-8")
    for words in ([many, str(other)], [claim, many], [many, claim]):
        with pytest.raises(ClaimError, match="two claims have the id 'true': "):
            choose(words)


def test_what_cannot_be_run(many):
    with pytest.raises(ClaimError, match="budget 'x' is unknown"):
        verify_many([many], budget="x")
    for jobs in (0, -1, 1.5, True):
        with pytest.raises(ClaimError, match="jobs is"):
            verify_many([many], jobs=jobs)
    assert verify_many([]) == []


def test_ctrl_c_keeps_the_verdicts_that_were_reached(many):
    claims = claims_of_script(many)

    def interrupt(instance):
        raise KeyboardInterrupt

    broken = Claim(
        **{
            **{
                name: getattr(claims["false"], name)
                for name in claims["false"].__dataclass_fields__
            },
            "check": interrupt,
        }
    )
    chosen = choose([*(c for c in claims.values() if c.id != "false"), broken])
    with pytest.raises(Interrupted) as interrupted:
        run_pool(chosen, "quick", 0, 1, None, None)
    assert [v.id for v in interrupted.value.verdicts] == ["broken", "documented"]


SLOW = (
    HEAD
    + """
import os, pathlib, time


def slow(i):
    pathlib.Path("slow-%d" % os.getpid()).touch()
    time.sleep(60)


make("a-quick", at_most(0.75))
make("b-slow", slow)
make("c-slow", slow)
make("d-never", at_most(0.75))
"""
)


def start(tmp_path, *options):
    """A run of `SLOW` in two processes, when both are at their slow claims."""
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    words = [sys.executable, "-m", "rltheory", "verify", "slow.py", "--jobs", "2", *options]
    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(workers(tmp_path)) < 2 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    time.sleep(1.0)  # for the first verdict to arrive
    return process


def workers(tmp_path):
    return [int(path.name.removeprefix("slow-")) for path in tmp_path.glob("slow-*")]


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def ended(tmp_path):
    """Whether all workers end within some seconds."""
    deadline = time.monotonic() + 20
    while any(map(is_running, workers(tmp_path))) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(is_running, workers(tmp_path)))


linux = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes are read in /proc"
)


@linux
def test_ctrl_c_ends_the_workers_and_tells_what_was_reached(tmp_path):
    process = start(tmp_path, "--json", "verdicts.json", "--report", "report.md")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    partial = "partial: interrupted after 1 of 4 claims; the others have no verdict"
    assert err.splitlines() == [f"rltheory: error: {partial}"]
    assert partial in out
    assert "a-quick" in out and "b-slow" not in out
    written = (tmp_path / "verdicts.json").read_text()
    assert '"a-quick"' in written and "b-slow" not in written
    assert partial in (tmp_path / "report.md").read_text()
    assert ended(tmp_path)


@linux
def test_workers_end_with_their_parent(tmp_path):
    process = start(tmp_path)
    assert len(workers(tmp_path)) == 2
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert ended(tmp_path)


@linux
def test_a_worker_that_dies_is_told(tmp_path):
    process = start(tmp_path, "--json", "verdicts.json")
    os.kill(workers(tmp_path)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("rltheory: error: one of 2 worker processes died")
    assert err.count("\n") == 1
    assert not (tmp_path / "verdicts.json").exists()
    assert ended(tmp_path)


def test_what_a_claim_prints_does_not_reach_the_output_of_the_run(tmp_path):
    text = FALSE.replace("return lambda i:", "return lambda i: print('noise') or")
    (tmp_path / "noisy.py").write_text("print('noise')\n" + text, encoding="utf-8")
    for jobs in ("1", "2"):
        words = ("verify", "noisy.py", "--budget", "quick", "--jobs", jobs, "--json", "-")
        done = subprocess.run(
            [sys.executable, "-m", "rltheory", *words],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "noise" not in done.stdout and "noise" in done.stderr
