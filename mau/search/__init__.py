"""Searching everything that I can read: words in, posts out, newest first (spec/search.md)."""

from mau.search.search import Hit, Search

__all__ = ["Hit", "Search"]
