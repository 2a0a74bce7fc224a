"""Last-switch-dependent bandits: planning, relaxation, rounding, learning."""
