"""Learning in episodes: the protocol of learners, running them, their exact regret."""
