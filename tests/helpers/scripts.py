"""Scripts with claims of every status, as a user would write them."""

HEAD = """
import rltheory as rlt

FAMILY = rlt.Family({"x": rlt.Dyadic(0.25, 1), "n": rlt.Integer(1, 3)}, rlt.Instance)


def at_most(share, of=1):
    return lambda i: rlt.Measurement(share * i.x, of * i.x)


def make(id, check, mutant=at_most(1, 0.5), kind="inequality", **fields):
    mutants = [rlt.Mutant("wrong", "half of the bound: $x\\\\le x/2$", check=mutant)]
    fields = {"family": FAMILY, "mutants": mutants} | fields
    return rlt.claim(id, kind, title=f"title of {id}", statement="$x\\\\le 1$", **fields)(check)
"""

TOPIC = HEAD + '\nCLAIMS = (make("one", at_most(0.75)), make("two", at_most(0.5)))\n'

TRUE = HEAD + '\nmake("true", at_most(0.75))\n'

FALSE = TRUE + '\nmake("false", at_most(2))\n'

MANY = (
    FALSE
    + """
make("toothless", at_most(0.5), mutant=at_most(1, 2))
make("broken", lambda i: 3)
make("vacuous", lambda i: rlt.Measurement(0.5, 1, trivial=0))
make(
    "rare", lambda i, stream: rlt.Measurement(int(stream.uniform() < 0.02), 0.5),
    kind="high-probability", delta=0.2, mutant=lambda i, stream: rlt.Measurement(1, 0.5),
)
make("documented", at_most(1), kind="context", mutants=[])
"""
)

STATUSES = {
    "broken": "error",
    "documented": "context",
    "false": "refuted",
    "rare": "confirmed",
    "toothless": "toothless",
    "true": "confirmed",
    "vacuous": "vacuous",
}
"""Of `MANY`, at the budget "quick"."""
