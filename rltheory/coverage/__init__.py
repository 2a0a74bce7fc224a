"""How well laws cover policies: reachability, coverability, concentrability, finite classes."""
