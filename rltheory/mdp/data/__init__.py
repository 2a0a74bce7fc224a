"""What is collected from a model: trajectories, transitions, counts, preferences.

    Trajectories    episodes s_0 a_0 r_0 s_1 a_1 r_1 ...      -> transitions(), counts()
    Transitions     single steps (h, s, a, r, s')             -> counts()
    Counts          how often each pair, and what followed    -> empirical(), occupancy()
    Preferences     pairs of trajectories, and which was preferred

All are immutable and checked entry by entry. A next state of -1 means that the run ended there:
what has ended is worth 0 and is no state. A run that was only cut off keeps the state it was cut
off in.
Each has a `Provenance`: of which model, by which access and policy, with which seed. Nothing is
ever pickled.
"""

from rltheory.mdp.data.counts import Counts
from rltheory.mdp.data.preferences import Preferences
from rltheory.mdp.data.provenance import Provenance
from rltheory.mdp.data.trajectories import Trajectories
from rltheory.mdp.data.transitions import Transitions

__all__ = ["Counts", "Preferences", "Provenance", "Trajectories", "Transitions"]
