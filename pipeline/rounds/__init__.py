"""Originals on their rounds: circulated, lent, carried, cleared, recalled, counted back."""
