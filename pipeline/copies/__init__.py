"""Numbered copies: made, printed, followed, traced."""
