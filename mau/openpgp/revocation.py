"""Whether a file is the revocation certificate of a key (spec/tree.md A3)."""

from __future__ import annotations

import pysequoia.packet

from mau.openpgp.certificate import Certificate
from mau.openpgp.sequoia import SequoiaError, call


def is_revocation(data: bytes, certificate: Certificate) -> bool:
    """Whether `data`, armored or not, is one good revocation of that key and nothing else."""
    try:
        packets = call(lambda: list(pysequoia.packet.PacketPile.from_bytes(data)))
        if len(packets) != 1 or packets[0].tag != pysequoia.packet.Tag.Signature:
            return False
        revoked = call(pysequoia.Cert.from_bytes, bytes(certificate) + packets[0].__bytes__())
        return Certificate(revoked).revoked
    except (SequoiaError, ValueError, RuntimeError):
        return False
