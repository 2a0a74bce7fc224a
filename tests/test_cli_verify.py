"""``rltheory claims`` and ``rltheory verify`` as they are typed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scripts import FALSE, HEAD, MANY, STATUSES, TOPIC, TRUE
from topics import installed

import rltheory.commands.verify
from rltheory.claims.pool import Interrupted
from rltheory.cli import main

TABLE = "id\tstatus\twhy\none\tconfirmed\t\ntwo\tconfirmed\t\n"


@pytest.fixture
def typed(tmp_path, monkeypatch, capfd):
    """Type a command in a folder with three scripts: exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"true": TRUE, "false": FALSE, "many": MANY}.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")

    def type_(*words):
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return type_


@pytest.fixture
def abroad(tmp_path_factory):
    """A topic with two claims and its table."""
    with installed(tmp_path_factory.mktemp("package"), {"abroad": (TOPIC, TABLE)}):
        yield


def quick(*words):
    return ("verify", *words, "--budget", "quick")


def files():
    return {str(path) for path in Path().rglob("*") if path.is_file()} - {
        "true.py", "false.py", "many.py",
    }  # fmt: skip


def refused(result, word, kept=frozenset()):
    """Exit code 2, one line that names the thing, nothing else, nothing written."""
    code, out, err = result
    assert code == 2, err
    assert out == ""
    assert re.fullmatch(r"rltheory: error: [^\n]+\n", err), err
    assert word in err, err
    assert files() <= kept


# --- bad input ----------------------------------------------------------------------------

OUTPUTS = ("--json", "v.json", "--report", "r.html")

BAD = {
    "nothing": ([], "name claims or scripts, or use --topic T or --all"),
    "unknown claim": (["plan-contractoin"], "claim 'plan-contractoin' is unknown"),
    "unknown topic": (["--topic", "foundation"], "topic 'foundation' is unknown; known are"),
    "unknown budget": (["true.py", "--budget", "huge"], "'huge'"),
    "no file": (["none.py"], "none.py: there is no such file"),
    "no claim of that id in the file": (["false.py:x"], "false.py has no claim 'x'; it has true"),
    "unknown option": (["true.py", "--speed", "9"], "--speed"),
    "abbreviated option": (["true.py", "--bud", "quick"], "--bud"),
    "jobs 0": (["true.py", "--jobs", "0"], "--jobs: 0 is not a whole number of processes"),
    "jobs broken": (["true.py", "--jobs", "1.5"], "--jobs: 1.5"),
    "seed below": (["true.py", "--seed", "-1"], "--seed: -1 is not a whole number, at least 0"),
    "seed word": (["true.py", "--seed", "x"], "'x'"),
    "two scripts with one id": (["true.py", "false.py"], "two claims have the id 'true'"),
    "good before bad": (["true.py", "no-such-claim"], "no-such-claim"),
    "report of another kind": (["true.py", "--report", "r.pdf"], "must be .html or .md"),
    "report nowhere": (["true.py", "--report", "x/r.md"], "there is no folder x"),
    "json nowhere": (["true.py", "--json", "x/v.json"], "there is no folder x"),
    "json over a script": (["true.py", "--json", "true.py"], "one of the sources"),
    "one file for both": (["true.py", "--json", "a.md", "--report", "a.md"], "both a.md"),
    "store is a file": (["true.py", "--store", "many.py"], "--store many.py: that is not a folder"),
    "replay without a claim": (["--replay", "x.npz"], "nothing to verify"),
    "replay of several": (["false.py", "--replay", "x.npz"], "has 2 claims; name one"),
    "replay of two": (["true.py", "false.py:false", "--replay", "x.npz"], "with 2 claims"),
    "replay of a topic": (["--topic", "x", "--replay", "x.npz"], "--replay with --topic"),
    "replay and strict": (["true.py", "--strict", "--replay", "x.npz"], "--replay with --strict"),
    "replay of no file": (["true.py", "--replay", "x.npz"], "x.npz: there is no such file"),
    "line break": (["two\nlines"], "two"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(typed, name):
    words, word = BAD[name]
    refused(typed("verify", *words), word)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n1 / 0\n", "bad.py:2: ZeroDivisionError: division by zero"),
        ("def f(:\n", "bad.py:1: SyntaxError"),
        ("import sys\nsys.exit()\n", "bad.py:2: SystemExit"),
        ("x = 1\n", "bad.py defines no claim"),
        (HEAD + 'make("mine", at_most(1), mutants=[])\n', "mine: no mutant is given"),
    ],
)
def test_bad_scripts(typed, text, words):
    Path("bad.py").write_text(text)
    for jobs in ("1", "2"):
        result = typed("verify", "true.py", "bad.py", "--jobs", jobs, *OUTPUTS)
        refused(result, words, {"bad.py"})


def test_suggestions(typed, abroad):
    refused(typed("verify", "twoo"), "did you mean two?")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("id\tstatus\n", "expected.tsv: the first line must be id, status, why"),
        (TABLE + "one\tconfirmed\t\n", "one is there twice"),
    ],
)
def test_damaged_tables_are_refused_before_anything_is_verified(
    typed, tmp_path_factory, table, words
):
    with installed(tmp_path_factory.mktemp("package"), {"abroad": (TOPIC, table)}):
        refused(typed(*quick("one"), "--strict", *OUTPUTS), words)


# --- verdicts -----------------------------------------------------------------------------


def test_a_confirmed_claim(typed):
    code, out, err = typed(*quick("true.py"))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert re.match(r"claim +status +arithmetic +coverage +tightness +detection limit", lines[0])
    assert re.match(r"true +confirmed +float\(0\) +sampled\(40\) +0\.75 +0\.75 +1/1", lines[2])
    assert lines[3] == "1 confirmed; error levels sum to 0: no verdict depends on chance"
    assert files() == set(), "nothing is written when nothing is refuted"


def test_statuses_and_exit_codes(typed):
    code, out, err = typed(*quick("many.py"), "--json", "-")
    assert (code, err) == (1, "")
    records = json.loads(out)
    assert {record["id"]: record["status"] for record in records} == STATUSES
    assert {
        "id", "status", "arithmetic", "coverage", "tightness", "detection_limit", "instances",
        "informative", "seconds", "mutants",
    } <= set(records[0])  # fmt: skip
    assert all({"id", "status"} <= set(m) for record in records for m in record["mutants"])
    assert [record["id"] for record in records if "counterexample" in record] == ["false"]
    for name, status in STATUSES.items():
        code = typed(*quick(f"many.py:{name}"))[0]
        assert code == (1 if status in ("refuted", "error", "toothless") else 0), name


def test_a_refuted_claim_is_stored_and_replays(typed):
    code, out, err = typed(*quick("false.py"), "--json", "v.json", "--store", "kept")
    assert (code, err) == (1, "")
    (_, record) = sorted(json.loads(Path("v.json").read_text()), key=lambda r: r["status"])
    found = record["counterexample"]
    assert files() == {"v.json", found["file"], found["file"].replace(".npz", ".json")}
    assert found["file"].startswith("kept/false-")
    assert f"false is refuted by {record['reason']}; parameters x=" in out
    assert f"; stored in {found['file']}" in out
    code, out, err = typed("verify", "false.py:false", "--replay", found["file"])
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        f"measured {found['measured']}, bound {found['bound']}, tolerance 0: violated",
        f"{found['file']} violates false: 1 of 1 comparisons fail",
    ]
    code, out, err = typed("verify", "false.py:true", "--replay", found["file"])
    assert (code, err) == (0, "")
    assert out.endswith(f"{found['file']} does not violate true: 0 of 1 comparisons fail\n")


def test_what_cannot_be_replayed(typed):
    np.savez("other.npz", x=np.zeros(3))
    words = ("--replay", "other.npz")
    refused(typed("verify", "true.py", *words), "is not a stored instance", {"other.npz"})
    refused(typed("verify", "many.py:rare", *words), "rare is high-probability", {"other.npz"})
    typed(*quick("false.py"), "--store", ".")
    stored = next(Path().glob("false-*.npz"))
    Path("more.py").write_text(TRUE.replace("i.x", "i.mdp"))
    kept = {"other.npz", "more.py", str(stored), str(stored.with_suffix(".json"))}
    refused(
        typed("verify", "more.py", "--replay", stored),
        "the check raised AttributeError: the instance has no 'mdp'; it has x, n",
        kept,
    )


def test_default_store(typed):
    typed(*quick("false.py"))
    assert {path.split(os.sep)[0] for path in files()} == {"counterexamples"}


def test_reports(typed):
    code, _, err = typed(*quick("false.py"), "--seed", "7", *OUTPUTS, "--date", "1 May 2026")
    assert (code, err) == (1, "")
    page = Path("r.html").read_text(encoding="utf-8")
    assert "budget quick · seed 7 · 1 May 2026" in page
    assert '<article id="true">' in page and '<article id="false">' in page
    assert "title of false" in page
    code, _, err = typed(*quick("false.py"), "--report", "r.md")
    assert "### false: title of false" in Path("r.md").read_text(encoding="utf-8")


def test_earlier_files_survive_an_error(typed):
    Path("v.json").write_text("kept")
    Path("r.html").write_text("kept")
    typed("verify", "true.py", "none.py", *OUTPUTS)
    assert Path("v.json").read_text() == Path("r.html").read_text() == "kept"


def test_json_is_identical_for_any_jobs_and_order(typed):
    def run(*words):
        out = json.loads(typed(*quick(*words), "--json", "-", "--seed", "3")[1])
        return [{**record, "seconds": None} for record in out]

    alone = run("many.py")
    names = [f"many.py:{name}" for name in sorted(STATUSES, reverse=True)]
    assert run("many.py", "--jobs", "2") == alone
    assert run(*names) == alone
    assert run("many.py:false") == [record for record in alone if record["id"] == "false"]


def test_registered_claims(typed, abroad):
    code, out, _ = typed(*quick("--topic", "abroad"), "--json", "-")
    assert code == 0
    assert [record["id"] for record in json.loads(out)] == ["one", "two"]
    code, out, _ = typed(*quick("two", "true.py", "two"), "--json", "-")
    assert [record["id"] for record in json.loads(out)] == ["true", "two"]


def test_all(typed, abroad, monkeypatch):
    from rltheory.claims.registry import all_claims

    own = all_claims("abroad")
    monkeypatch.setattr(
        rltheory.commands.verify, "all_claims", lambda topic=None: {} if topic else own
    )
    code, out, _ = typed(*quick("--all", "true.py"), "--json", "-")
    assert code == 0
    assert [record["id"] for record in json.loads(out)] == ["one", "true", "two"]
    refused(typed("verify", "--topic", "empty"), "no claim is registered in topic empty")


# --- strict -------------------------------------------------------------------------------


def test_strict_is_content_with_the_table(typed, abroad):
    assert typed(*quick("--topic", "abroad"), "--strict")[::2] == (0, "")
    assert typed(*quick("one", "true.py"), "--strict")[::2] == (0, "")


def test_strict_tells_every_difference(typed, tmp_path_factory):
    table = "id\tstatus\twhy\none\tvacuous\tno reason\nthree\tconfirmed\t\n"
    with installed(tmp_path_factory.mktemp("package"), {"abroad": (TOPIC, table)}):
        code, out, err = typed(*quick("one", "many.py:vacuous"), "--strict")
    assert code == 1
    assert "one " in out
    assert err.splitlines() == [
        "rltheory: strict: two has no line in the table of abroad",
        "rltheory: strict: three of the table of abroad is no claim",
        "rltheory: strict: one is confirmed; expected is vacuous (no reason)",
        "rltheory: strict: vacuous is vacuous; expected is confirmed",
    ]


# --- listing ------------------------------------------------------------------------------


def test_list_of_claims(typed, abroad):
    code, out, err = typed("claims", "--topic", "abroad", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == [
        {
            "id": name,
            "topic": "abroad",
            "title": f"title of {name}",
            "kind": "inequality",
            "provenance": ["derived", "derived"],
            "source": "this project",
            "mutants": ["wrong"],
        }
        for name in ("one", "two")
    ]
    code, out, err = typed("claims", "--topic", "abroad")
    lines = out.splitlines()
    assert (code, err, len(lines)) == (0, "", 4)
    assert re.match(r"claim +topic +kind +shape +constants +mutants +title +source", lines[0])
    assert re.match(r"one +abroad +inequality +derived +derived +1 +title of one", lines[2])
    everything = json.loads(typed("claims", "--json")[1])
    assert {"one", "two"} <= {record["id"] for record in everything}
    assert [r["id"] for r in everything] == sorted(r["id"] for r in everything)
    refused(typed("claims", "--topic", "none"), "topic 'none' is unknown")


# --- endings ------------------------------------------------------------------------------


def test_ctrl_c_shows_what_was_reached(typed, monkeypatch):
    reached = []

    def run_pool(chosen, budget, seed, jobs, store, progress):
        from rltheory.claims.verify import verify

        reached.append(verify(chosen.claims["true"], budget=budget))
        raise Interrupted(reached)

    monkeypatch.setattr(rltheory.commands.verify, "run_pool", run_pool)
    code, out, err = typed(*quick("many.py"), *OUTPUTS)
    partial = "partial: interrupted after 1 of 7 claims; the others have no verdict"
    assert code == 130
    assert err == f"rltheory: error: {partial}\n"
    assert partial in out
    assert [record["id"] for record in json.loads(Path("v.json").read_text())] == ["true"]
    assert partial in Path("r.html").read_text()


def test_ctrl_c_before_any_verdict_writes_nothing(typed, monkeypatch):
    def run_pool(*_):
        raise Interrupted([])

    monkeypatch.setattr(rltheory.commands.verify, "run_pool", run_pool)
    code, out, err = typed(*quick("many.py"), *OUTPUTS)
    assert (code, out, err) == (130, "", "rltheory: error: interrupted\n")
    assert files() == set()


def test_warnings_are_told_in_one_line(typed):
    text = TRUE + "import warnings\nwarnings.warn('mind\\nthe gap', RuntimeWarning, stacklevel=1)\n"
    Path("true.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "rltheory", *quick("true.py")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "rltheory: warning: mind the gap\n")


def test_help_and_mistakes_need_no_numpy(tmp_path):
    code = (
        "import sys, rltheory.cli as cli\n"
        "cli.main(['verify', '--help']); cli.main(['claims', '--help'])\n"
        "cli.main(['verify', '--jobs', '0']); cli.main(['verify', 'x', '--budget', 'huge'])\n"
        "assert not {'numpy', 'rich', 'rltheory._core'} & set(sys.modules), sorted(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for option in ("--topic", "--all", "--budget", "--jobs", "--seed", "--strict", "--replay"):
        assert option in done.stdout


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no pseudo-terminals")
def test_progress_on_a_terminal(tmp_path):
    (tmp_path / "many.py").write_text(MANY)
    outer, inner = os.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "24"}
    process = subprocess.Popen(
        [sys.executable, "-m", "rltheory", *quick("many.py"), "--json", "-"],
        stdout=subprocess.PIPE, stderr=inner, cwd=tmp_path, env=environment,
    )  # fmt: skip
    os.close(inner)
    shown = b""
    while True:
        try:
            part = os.read(outer, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    out, _ = process.communicate(timeout=60)
    os.close(outer)
    assert process.returncode == 1
    assert len(json.loads(out)) == 7
    text = shown.decode()
    assert "7/7" in text
    assert "1 refuted, 1 error, 1 vacuous, 1 toothless, 2 confirmed, 1 context" in text


# --- the report of solve ------------------------------------------------------------------


def test_solve_writes_a_page(typed):
    words = ("solve", "gridworld:rows=2,columns=3", "riverswim", "--discount", "0.9")
    code, out, err = typed(*words, "--report", "r.html")
    assert (code, err) == (0, "")
    assert "certified" in out
    page = Path("r.html").read_text(encoding="utf-8")
    assert page.count('<svg class="grid"') == 2
    assert typed(*words, "--report", "r.md")[0] == 0
    assert "| riverswim |" in Path("r.md").read_text(encoding="utf-8")
    refused(typed(*words, "--report", "r.pdf"), "must be .html or .md", {"r.html", "r.md"})
