"""Inference: exact binomial bounds, an anytime-valid test, intervals for bounded means."""
