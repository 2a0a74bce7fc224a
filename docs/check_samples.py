"""Runs the samples of the README and of the documentation, and compares what they print.

    python docs/check_samples.py [FILE...]

In ``python`` blocks, lines after ``>>>`` are run, with one set of variables a file; in ``console``
blocks, those after ``$`` are given to a shell, in one temporary folder a file. ``...`` in what is
expected stands for anything, and runs of white space are equal. ``[exit 1]`` as the last line is
the exit code, 0 otherwise.
"""

import doctest
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXIT = re.compile(r"^\[exit (\d+)\]\n\Z", re.MULTILINE)


def python_block(text: str, names: dict[str, object], where: str, line: int) -> int:
    test = doctest.DocTestParser().get_doctest(text, names, where, where, line)
    runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
    failed, _ = runner.run(test, clear_globs=False)
    names.update(test.globs)
    return failed


def console_block(text: str, folder: str, where: str) -> int:
    failed = 0
    for sample in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, wanted = sample.partition("\n")
        code = EXIT.search(wanted)
        wanted = EXIT.sub("", wanted)
        run = subprocess.run(
            command,
            shell=True,
            cwd=folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
        )
        same = doctest.OutputChecker().check_output(wanted, run.stdout, FLAGS)
        if not same or run.returncode != int(code[1] if code else 0):
            print(f"{where}: $ {command}\n{run.stdout}[exit {run.returncode}]", file=sys.stderr)
            failed += 1
    return failed


def check(path: Path) -> int:
    """The number of samples of one file that do not print what they should."""
    text = path.read_text(encoding="utf-8")
    names: dict[str, object] = {}
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        here = os.getcwd()
        os.chdir(folder)
        try:
            for block in BLOCK.finditer(text):
                line = text.count("\n", 0, block.start(2))
                if block[1] == "python":
                    failed += python_block(block[2], names, str(path), line)
                else:
                    failed += console_block(block[2], folder, f"{path}:{line + 1}")
        finally:
            os.chdir(here)
    return failed


def main(arguments: list[str]) -> int:
    paths = [Path(name).resolve() for name in arguments]
    if not paths:
        paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    failed = sum(map(check, paths))
    print(f"samples of {len(paths)} files: {failed or 'none'} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
