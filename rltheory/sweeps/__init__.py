"""Sweeps over grids of parameters: every trial keyed, stored before it counts, resumable."""
