"""The same work on rltheory and on its peers: problems, adapters, a verifier, one command."""
