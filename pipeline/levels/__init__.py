"""Levels and secrecy terms once a paper is registered: changed, disputed, ended, told to those it concerns."""
