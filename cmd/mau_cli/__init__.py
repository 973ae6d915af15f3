"""The command `mau`: words of a person in, calls of the library `mau` out."""
