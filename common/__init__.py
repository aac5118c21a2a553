"""Floor 0: what every room needs and no room owns. Knows nothing of documents."""
