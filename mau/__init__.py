"""Mau: a filesystem-native peer-to-peer social network."""
