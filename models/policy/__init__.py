"""The dated policy: shipped YAML, its typed form, its loader. Law and thresholds live here, never in code."""
