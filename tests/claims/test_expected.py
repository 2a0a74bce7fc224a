"""The table of what each claim should come out as, and every way to differ from it."""

import pytest
from scripts import FALSE, TOPIC
from topics import installed

from rltheory.claims.expected import differences, expected_of_topic
from rltheory.claims.pool import choose
from rltheory.claims.registry import topics
from rltheory.claims.verify import verify_many
from rltheory.errors import ClaimError

TABLE = "id\tstatus\twhy\none\tconfirmed\tproved in text\ntwo\tconfirmed\t\n"


def compared(words):
    return differences(verify_many(words, budget="quick"), choose(words))


def test_a_table(tmp_path):
    with installed(tmp_path, {"abroad": (TOPIC, TABLE)}):
        assert expected_of_topic("abroad") == {
            "one": ("confirmed", "proved in text"),
            "two": ("confirmed", ""),
        }
        assert compared(["one", "two"]) == []
        assert compared(["one"]) == []


def test_no_table(tmp_path):
    with installed(tmp_path, {"abroad": (TOPIC, None)}):
        assert expected_of_topic("abroad") == {}
        assert compared(["one"]) == [
            "one has no line in the table of abroad",
            "two has no line in the table of abroad",
        ]


def test_other_statuses_and_gaps(tmp_path):
    table = "id\tstatus\twhy\none\tvacuous\tnothing to see\nthree\tconfirmed\t\n"
    with installed(tmp_path, {"abroad": (TOPIC, table)}):
        assert compared(["one"]) == [
            "two has no line in the table of abroad",
            "three of the table of abroad is no claim",
            "one is confirmed; expected is vacuous (nothing to see)",
        ]


def test_claims_of_scripts_are_expected_to_be_confirmed(tmp_path):
    (tmp_path / "mine.py").write_text(FALSE)
    assert compared([str(tmp_path / "mine.py")]) == ["false is refuted; expected is confirmed"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "the first line must be id, status, why"),
        ("one\tconfirmed\t\n", "the first line must be"),
        ("id,status,why\n", "the first line must be"),
        ("id\tstatus\twhy\none\tconfirmed\n", r"expected.tsv:2: 2 columns; there must be 3"),
        ("id\tstatus\twhy\none\tfine\t\n", "expected.tsv:2: a claim should not be 'fine'"),
        ("id\tstatus\twhy\none\terror\t\n", "a claim should not be 'error'"),
        ("id\tstatus\twhy\none\ttoothless\t\n", "a claim should not be 'toothless'"),
        (TABLE + "one\tconfirmed\t\n", "expected.tsv:4: one is there twice"),
    ],
)
def test_damaged_tables(tmp_path, table, words):
    with installed(tmp_path, {"abroad": (TOPIC, table)}):
        with pytest.raises(ClaimError) as error:
            expected_of_topic("abroad")
        assert words in str(error.value)


def test_unknown_topics():
    with pytest.raises(ClaimError, match="topic 'none' is unknown"):
        expected_of_topic("none")


@pytest.mark.parametrize("topic", topics())
def test_the_tables_of_this_project_can_be_read(topic):
    expected_of_topic(topic)
