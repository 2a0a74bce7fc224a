"""Names of states and actions, for people: checked once, never computed with."""

from typing import Any

from rltheory.errors import ModelError

__all__ = ["checked_labels"]


def checked_labels(name: str, labels: Any, size: int) -> tuple[str, ...]:
    """The labels as a tuple; refuses a wrong number, and what is no printable text.

    Parameters
    ----------
    name : str
        What is labelled, for the error.
    labels : sequence of str
    size : int
        How many there must be.
    """
    if isinstance(labels, str):
        raise ModelError(f"labels of {name} are one text, {labels!r}; give one for each")
    try:
        found = tuple(str(label) if isinstance(label, str) else label for label in labels)
    except TypeError:
        raise ModelError(f"labels of {name} are {labels!r}; give a sequence of texts") from None
    if len(found) != size:
        raise ModelError(f"{len(found)} labels of {name} are given; the model has {size}")
    for i, label in enumerate(found):
        # What cannot be printed would reach terminals and break the lines of files.
        if not isinstance(label, str) or not label.isprintable() or label != label.strip():
            raise ModelError(
                f"label {i} of {name} is {label!r}; it must be a text of printable characters, "
                "without blanks at its ends"
            )
    return found
