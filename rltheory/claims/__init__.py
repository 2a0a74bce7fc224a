"""Claims: statements with explicit constants that can be confirmed, refuted or found empty."""
