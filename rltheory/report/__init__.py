"""What a reader sees: results as terminal tables, drawings and JSON."""
