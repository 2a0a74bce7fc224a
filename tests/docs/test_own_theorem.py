"""The script of the page "a theorem of your own": confirmed, and its false twin refuted."""

import subprocess
import sys
from pathlib import Path

import rltheory as rlt
from rltheory.claims.evidence import violated
from rltheory.claims.registry import claims_of_script

SCRIPT = Path(__file__).parents[2] / "docs" / "howto" / "own_theorem.py"
TRUE, FALSE = "lambda g: (1 + g) / 2)\n", "lambda g: g)\n"


def verify(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rltheory", "verify", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=120,
    )


def test_the_script_is_short_and_confirmed(tmp_path: Path) -> None:
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) <= 25
    done = verify(SCRIPT, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "damped-contraction" in done.stdout and "1 confirmed" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_its_false_twin_is_refuted_and_replays(tmp_path: Path) -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert text.endswith(TRUE)
    twin = tmp_path / "twin.py"
    twin.write_text(text.removesuffix(TRUE) + FALSE, encoding="utf-8")
    done = verify(twin, folder=tmp_path)
    assert done.returncode == 1 and "is refuted by instance" in done.stdout + done.stderr
    (stored,) = (tmp_path / "counterexamples").glob("*.npz")
    replayed = verify(twin, "--replay", stored, folder=tmp_path)
    assert replayed.returncode == 1 and "violates" in replayed.stdout + replayed.stderr
    (claim,) = claims_of_script(twin).values()
    assert any(violated(claim.kind, m) for m in rlt.replay(claim, stored))
    (truth,) = claims_of_script(SCRIPT).values()
    assert not any(violated(truth.kind, m) for m in rlt.replay(truth, stored))
