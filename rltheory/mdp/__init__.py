"""Models: discounted and episodic MDPs, their generators, readers and files."""
