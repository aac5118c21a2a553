"""Floor 6: one file a command group. Parses, calls one pipeline function, prints. No logic, no SQL, no crypto."""
