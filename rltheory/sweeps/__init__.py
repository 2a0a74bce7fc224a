"""Sweeps over grids of parameters, resumable; sample complexities and the laws of both."""
