"""Destruction: proposed, counted, approved, supervised, executed, verified, certified."""
