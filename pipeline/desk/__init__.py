"""The mechanisms driven by policy data: movements, timers, matters, and what is late."""
