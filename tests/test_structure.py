"""The shape of the house: who imports whom, what is public, how short the checker is."""

import ast
import inspect
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

import rltheory as rlt

ROOT = Path(__file__).parents[1]
PACKAGE, CPP = ROOT / "rltheory", ROOT / "cpp"
TOPICS = (
    "foundations demonstrations actor_critic agnostic lsd_bandits dual objectives "
    "effective_horizon mirror_descent further"
)
# From the ground up; a module imports from its own floor or from one below.
FLOORS = [
    "_core errors",
    "inference mdp mathematics parallelism",
    "coverage solvers",
    "learning",
    "sweeps claims",
    TOPICS,
    "cli commands report __main__",
    "__init__",
]
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names.split()}
STRANGERS = {frozenset({"sweeps", "claims"})}


def imports_of(source: str) -> Iterator[tuple[int, str]]:
    """Line and first name below `rltheory` of every import in it, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide where a name comes from"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            head, *rest = name.split(".")
            if head == "rltheory":
                yield node.lineno, rest[0] if rest else "__init__"


def upward(room: str, source: str) -> list[str]:
    """The imports in a file of this room that go up, or to a stranger."""
    found = []
    for line, name in imports_of(source):
        target = name if name in FLOOR else "__init__"
        apart = frozenset({room, target}) in STRANGERS
        if FLOOR[target] > FLOOR[room] or apart:
            found.append(f"line {line}: {room} imports {name}")
    return found


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    part = path.relative_to(PACKAGE).parts[0]
    return part.removesuffix(".py")


def test_every_room_has_its_floor() -> None:
    rooms = {room_of(path) for path in sources()}
    assert rooms <= set(FLOOR), "say in FLOORS where a new room is"
    assert {"mdp", "solvers", "report", "errors"} <= rooms


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downward(path: Path) -> None:
    # The front door names what is public and imports it when it is first used.
    if path != PACKAGE / "__init__.py":
        assert upward(room_of(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("mdp", "from rltheory.solvers.solve import solve"),
        ("mdp", "def f():\n    import rltheory.report.grid"),
        ("mdp", "import rltheory as rlt"),
        ("mdp", "from rltheory import solve"),
        ("solvers", "if TYPE_CHECKING:\n    from rltheory.learning.run import run"),
        ("claims", "from rltheory.sweeps.ledger import Ledger"),
        ("sweeps", "from rltheory import claims"),
        ("claims", "from rltheory.dual.claims import claims"),
        ("errors", "from rltheory.mdp.model import MDP"),
    ],
)
def test_imports_that_run_upward_would_be_found(room: str, line: str) -> None:
    assert len(upward(room, line)) == 1


def test_imports_that_run_downward_are_none_of_those() -> None:
    allowed = "import numpy\nfrom rltheory import _core\nfrom rltheory.mdp.model import MDP"
    assert upward("solvers", allowed) == [] and upward("dual", allowed) == []
    assert upward("dual", "from rltheory.claims.claim import claim") == []


# --- the compiled core --------------------------------------------------------------------

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
PYTHON_HEADER = re.compile(r"^(pybind11/|Python\.h|numpy/|nanobind/|bindings/)")
RANDOM_ROOMS = ("model", "simulate", "learning", "bindings")


def cpp_includes() -> dict[str, list[str]]:
    """What each file of the core includes, by its path under cpp/."""
    files = [p for p in CPP.rglob("*") if p.suffix in (".cpp", ".hpp", ".h", ".inl")]
    return {str(p.relative_to(CPP)): INCLUDE.findall(p.read_text(encoding="utf-8")) for p in files}


def reached(start: str, includes: dict[str, list[str]]) -> set[str]:
    """All files that this one includes, directly or through others."""
    seen: set[str] = set()
    left = [start]
    while left:
        for name in includes.get(left.pop(), []):
            if name not in seen:
                seen.add(name)
                left.append(name)
    return seen


def test_random_numbers_are_drawn_in_few_places() -> None:
    includes = cpp_includes()
    users = {f for f in includes if "support/philox.hpp" in reached(f, includes)}
    assert users and {f.split("/")[0] for f in users} <= set(RANDOM_ROOMS)
    # The engines of the standard library would not be ours.
    assert not [f for f, names in includes.items() if "random" in names]


def test_python_headers_are_in_the_bindings_alone() -> None:
    includes = cpp_includes()
    users = {f for f, names in includes.items() if any(map(PYTHON_HEADER.match, names))}
    assert users and {f.split("/")[0] for f in users} == {"bindings"}
    assert len([f for f in users if f.endswith(".cpp") and not f.endswith("module.cpp")]) <= 6


def test_includes_of_the_core_are_found() -> None:
    includes = cpp_includes()
    assert len(includes) > 20
    ours = {name for names in includes.values() for name in names if "/" in name}
    known = {name for name in ours if name in includes}
    assert ours - known <= {name for name in ours if name.startswith(("pybind11/", "sys/"))}
    fake = {"solvers/x.cpp": ["model/garnet.hpp"], "model/garnet.hpp": ["support/philox.hpp"]}
    assert "support/philox.hpp" in reached("solvers/x.cpp", fake)


# --- what is public -----------------------------------------------------------------------

WITHOUT_EXAMPLE = {
    "all_claims", "load_instance", "replay", "save_instance", "set_threads", "threads",
    "verify_many",
}  # fmt: skip
"""Functions that still lack one: take a name out as it gets its example."""


def test_public_names_are_sorted_and_can_be_imported() -> None:
    assert len(set(rlt.__all__)) == len(rlt.__all__)
    assert set(rlt.__all__) <= set(dir(rlt))
    for name in rlt.__all__:
        assert getattr(rlt, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'anything'"):
        rlt.anything  # noqa: B018
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", rlt.__version__)


@pytest.mark.parametrize("name", rlt.__all__)
def test_public_names_are_documented(name: str) -> None:
    value = getattr(rlt, name)
    if not (inspect.isfunction(value) or inspect.isclass(value)):
        return  # a union of types has no docstring of its own
    text = inspect.getdoc(value) or ""
    assert text and not text.startswith(f"{name}("), "dataclasses make one up"
    if inspect.isfunction(value):
        lacks = ">>> " not in text
        assert lacks == (name in WITHOUT_EXAMPLE), "an example came or went"


def test_names_for_type_checkers_are_those_of_the_package() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    typed = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        for inner in node.body
        if isinstance(inner, ast.ImportFrom) and (inner.module or "").startswith("rltheory.")
        for alias in inner.names
    }
    assert typed == set(rlt.__all__)


# --- the checker --------------------------------------------------------------------------

CHECKER = PACKAGE / "solvers" / "checker.py"


def lines_of_code(source: str) -> int:
    """Lines that hold something else than blanks, comments and docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in (
            tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
            tokenize.ENDMARKER,
        ):  # fmt: skip
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            text = node.body[0]
            lines -= set(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return len(lines)


def test_lines_are_counted() -> None:
    source = '"""Two\nlines."""\n\n# why\ndef f(x):\n    """Doc."""\n    return (x +\n\n  1)  # c\n'
    assert lines_of_code(source) == 3


def test_the_checker_is_short_and_stands_alone() -> None:
    source = CHECKER.read_text(encoding="utf-8")
    assert 20 < lines_of_code(source) <= 100
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            heads = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            heads = [(node.module or "").split(".")[0]]
        else:
            continue
        assert set(heads) <= sys.stdlib_module_names


@pytest.mark.parametrize(
    "path", sorted(CHECKER.parent.glob("checker_*.py")), ids=lambda path: path.stem
)
def test_further_checkers_are_short_and_stand_on_it(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert 20 < lines_of_code(source) <= 100
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            ours = name.startswith("rltheory.solvers.checker")
            assert ours or name.split(".")[0] in sys.stdlib_module_names, name


def test_the_checker_works_without_the_core_and_without_numpy() -> None:
    code = """
import sys
for name in ("numpy", "scipy", "rltheory._core"):
    sys.modules[name] = None
from fractions import Fraction
from types import SimpleNamespace as Record
import rltheory.errors
from rltheory.solvers.checker import check

model = {"n_states": 1, "discount": 0.5, "state_ptr": [0, 1], "row_ptr": [0, 1], "col": [0],
         "action": [0], "prob": [1.0], "reward": [1.0], "exit": []}
claim = Record(criterion="discounted", policy=[0], rows=[0], head=[2.0], tail=[0.0],
               lower=[2.0], upper=[2.0],
               lower_shift=0.0, upper_shift=0.0)
print(check(claim, model).accepted)
claim.head = claim.upper = [2.0 - 2**-50]
print(check(claim, model).accepted)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\nFalse\n", "")
