"""Where claims are found: topics, other packages, scripts; and what is said where they are not."""

import sys

import pytest
from scripts import FALSE, HEAD, MANY, STATUSES, TOPIC, TRUE
from topics import installed

from rltheory.claims.registry import (
    all_claims,
    claims_of_script,
    find,
    find_one,
    module_of_topic,
    script_of,
    topics,
)
from rltheory.errors import ClaimError


def script(tmp_path, text, name="paper.py"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


# --- topics -------------------------------------------------------------------------------


def test_the_topics_of_this_project_are_known():
    assert "foundations" in topics()
    assert module_of_topic("foundations") == "rltheory.foundations.claims"
    for claim_id, claim in all_claims().items():
        assert claim.id == claim_id
        assert claim.topic in topics()
    assert set(all_claims("foundations")) <= set(all_claims())


def test_every_statement_is_a_finished_sentence():
    # A displayed formula at the end has its full stop inside.
    ends = {x: claim.statement.rstrip("$ \n")[-1:] for x, claim in all_claims().items()}
    unfinished = [x for x, end in ends.items() if end != "."]
    assert unfinished == []


def test_a_topic_of_another_package(tmp_path):
    with installed(tmp_path, {"abroad": (TOPIC, None)}):
        assert "abroad" in topics()
        assert module_of_topic("abroad") == "topic_abroad.claims"
        claims = all_claims("abroad")
        assert list(claims) == ["one", "two"]
        assert claims["one"].topic == "abroad"
        assert find("two") == {"two": claims["two"]}
        assert find_one("two") is claims["two"]
    assert "abroad" not in topics()


def test_the_claims_of_a_topic_do_not_depend_on_what_was_imported(tmp_path):
    with installed(tmp_path, {"abroad": (TOPIC, None)}):
        import topic_abroad.claims

        assert list(all_claims("abroad")) == ["one", "two"]
        assert topic_abroad.claims.CLAIMS[0].topic == "", "the module itself is left as it is"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import no_such_module", "topic_bad.claims: ModuleNotFoundError"),
        ("1 / 0", "topic 'bad': topic_bad.claims: ZeroDivisionError: division by zero"),
        (
            TOPIC + '\nagain = make("one", at_most(0.1))\n',
            "topic 'bad': topic_bad.claims: ClaimError: claim 'one' is there twice",
        ),
    ],
)
def test_broken_topics(tmp_path, source, words):
    with installed(tmp_path, {"bad": (source, None)}):
        with pytest.raises(ClaimError) as error:
            all_claims("bad")
        assert words in str(error.value)


def test_two_topics_with_one_id(tmp_path):
    with installed(tmp_path, {"east": (TOPIC, None), "west": (TOPIC, None)}):
        assert list(all_claims("east")) == list(all_claims("west"))
        with pytest.raises(ClaimError, match="'one' is registered by east and west"):
            all_claims()


def test_unknown_topics_and_claims(tmp_path):
    with pytest.raises(ClaimError, match=r"topic 'none' is unknown; known are .*foundations"):
        all_claims("none")
    with installed(tmp_path, {"abroad": (TOPIC, None)}):
        with pytest.raises(ClaimError, match="'tow' is unknown; did you mean two"):
            find("tow")
        with pytest.raises(ClaimError, match="'qqqqqq' is unknown; see 'rltheory claims'"):
            find("qqqqqq")


# --- scripts ------------------------------------------------------------------------------


def test_claims_of_a_script(tmp_path):
    path = script(tmp_path, MANY)
    claims = claims_of_script(path)
    assert set(claims) == set(STATUSES)
    assert {claim.topic for claim in claims.values()} == {"paper"}
    assert find(f"{path}:true").keys() == {"true"}
    assert find_one(f"{path}:true").id == "true"
    assert "paper" not in topics(), "they do not outlive the call"
    with pytest.raises(ClaimError, match=r"paper\.py has 7 claims; name one: .*paper\.py:"):
        find_one(path)


@pytest.mark.parametrize(
    "statement",
    [
        'mine = make("mine", at_most(0.5))',
        'make("mine", at_most(0.5))',
        'CLAIMS = [make("mine", at_most(0.5))]',
        "mine = rlt.Claim(id='mine', kind='context', check=print, title='t', statement='s')",
        "CLAIMS = (rlt.Claim(id='mine', kind='context', check=print, title='t', statement='s'),)",
    ],
)
def test_ways_to_state_a_claim(tmp_path, statement):
    assert list(claims_of_script(script(tmp_path, f"{HEAD}\n{statement}\n"))) == ["mine"]


def test_modules_beside_a_script_can_be_imported_and_keep_their_claims(tmp_path):
    script(tmp_path, TRUE.replace('"true"', '"not-mine"'), "beside_it.py")
    path = script(tmp_path, "import beside_it\n" + TRUE)
    before = list(sys.path)
    try:
        assert list(claims_of_script(path)) == ["true"]
        assert list(claims_of_script(path)) == ["true"], "the second time like the first"
    finally:
        sys.modules.pop("beside_it", None)
    assert sys.path == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n1 / 0\n", "paper.py:2: ZeroDivisionError: division by zero"),
        ("x = (\n", "paper.py:1: SyntaxError"),
        ("def f():\n    raise KeyError('a')\n\nf()\n", "paper.py:2: KeyError: 'a'"),
        ("import sys\nsys.exit(0)\n", "paper.py:2: SystemExit: 0"),
        ("import no_such_module\n", "paper.py:1: ModuleNotFoundError"),
        ("x = 1\n", "paper.py defines no claim; make one with @rlt.claim(...)"),
        ("", "defines no claim"),
        (TRUE + '\nmake("true", at_most(0.5))\n', "'true' is registered twice"),
        (
            HEAD + '\nmake("mine", at_most(1), mutants=[])\n',
            "mine: no mutant is given; a claim needs one that is refuted",
        ),
        ("x = '\x00'", "paper.py"),
    ],
)
def test_broken_scripts_name_file_and_line(tmp_path, text, words):
    with pytest.raises(ClaimError) as error:
        claims_of_script(script(tmp_path, text))
    assert words in str(error.value)


def test_ctrl_c_in_a_script_is_not_its_error(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        claims_of_script(script(tmp_path, "raise KeyboardInterrupt\n"))


def test_scripts_that_are_not_there(tmp_path):
    for word in ("none.py", "none.py:x", f"{tmp_path}/folder.python/none.py"):
        with pytest.raises(ClaimError, match=r"none\.py: there is no such file"):
            find(word)
    path = script(tmp_path, FALSE)
    with pytest.raises(ClaimError, match=r"paper\.py has no claim 'fals'; it has true, false"):
        find(f"{path}:fals")
    with pytest.raises(ClaimError, match="has no claim ''"):
        find(f"{path}:")


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("a.py", ("a.py", None)),
        ("a.py:x-y", ("a.py", "x-y")),
        ("/b.python/c.py:x", ("/b.python/c.py", "x")),
        ("C:\\d\\a.py", ("C:\\d\\a.py", None)),
        ("a.pyx", None),
        ("plan-pdl", None),
        ("a.py:/b", None),
    ],
)
def test_words_that_name_scripts(word, parts):
    assert script_of(word) == parts
