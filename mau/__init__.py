"""Mau: a filesystem-native peer-to-peer social network."""

__version__ = "0.1.0"
