"""`python -m jiyao.samples` makes the shipped batch anew."""

from .batch import main

main()
