"""How sample complexity scales: measured, and fitted as what it is, intervals."""
