"""What the machine learns from decisions of persons, and the models made of it."""
