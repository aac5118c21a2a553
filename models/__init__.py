"""Floor 1: the nouns as frozen, typed values, the dated policy, and the tables. They do no work."""
