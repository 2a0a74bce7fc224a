"""Solving known models: planning, certificates and their checker, exact rational optima."""
