"""What the project claims about speed and exactness, measured against named baselines of the same run."""
