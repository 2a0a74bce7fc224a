"""Claims about planning, concentration and coverage themselves."""
