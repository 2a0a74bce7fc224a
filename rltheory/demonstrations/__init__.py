"""Demonstration-regularised reinforcement learning: cloning, regularised planning, preferences."""
