"""How sample complexity scales: measured, and fitted as what it is, intervals."""
"""Sweeps over grids of parameters: every trial keyed, stored before it counts, resumable."""
