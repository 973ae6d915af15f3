"""Circuits: connections between two peers that a third passes on, and cannot read (spec/circuit.md).

The word *relay* alone already means passing on posts; here it is always a *circuit relay*.
"""
