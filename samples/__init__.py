"""Floor 4: made-up papers with known truth. Organs that cannot exist, and 样张 on every page."""
