"""Introductions for people: links, the tokens in them, and who answered one (spec/finding.md N70-N89)."""
