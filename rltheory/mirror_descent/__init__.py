"""Mirror descent policy optimisation on discounted models, exactly."""
