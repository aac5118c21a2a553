"""Floor 5: what a station does. Holds no pixel work and no parsing."""
