"""Papers in the register: looked up, handled, filed, held, handed on, let out."""
