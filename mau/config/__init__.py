"""Settings: what can be set, where it stands, and which of several places wins (spec/config.md)."""
