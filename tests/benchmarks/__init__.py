"""How fast it is, each figure beside a yardstick that was measured in the same run.

A yardstick is the bare call of the library that does the same work, without any of ours around it. Works and
yardsticks take turns, so whatever else the machine does slows both. Run: ``python -m tests.benchmarks``.
"""
