"""One module for each command; each holds one click command (or group) that is called ``command``.

What stands in a module's head is imported before the command runs, so it is `click`, `mau_cli` and the light
parts of `mau`; everything else is imported inside the function that needs it.
"""
