"""OpenPGP: keys, and messages in and out (spec/messages.md).

The only room that imports an OpenPGP library. Whatever is foreign is judged by Sequoia (pysequoia); our own
secret key is handled with PGPy's packet classes and the keys of ``cryptography`` beneath them.

    packets        the framing of packets: lengths, partial bodies, the head of a message
    certificate    a public key: what it says and whether it may be used
    keyparts       its primary key and subkeys, for people to read
    subpackets     what a signature states beside its numbers
    selfsigned     a single signature by a key about itself: does it hold?
    merging        what is taken from a copy of a key that the network brought
    lifetime       the account's own key: another expiry, revocation
    secret         the account's own key: make, import, lock, unlock
    ownkeys        the account's keys as objects of ``cryptography``
    sessionkey     from a PKESK packet to the session key, with our own subkeys
    protected      the encrypted container (SEIPD version 1), streaming both ways
    addressing     from the session key to PKESK packets, for recipients on Curve25519
    signing        signatures by our own key, with a stated time and notations
    judging        is this exactly one good signature by that author?
    writing        sign, compress, encrypt
    opening        decrypt, decompress, verify
"""

from mau.openpgp.certificate import Certificate
from mau.openpgp.opening import MEMORY_LIMIT, Opened, open_message
from mau.openpgp.packets import Head, Kind, read_head
from mau.openpgp.secret import SecretKey
from mau.openpgp.writing import write_message

__all__ = [
    "MEMORY_LIMIT",
    "Certificate",
    "Head",
    "Kind",
    "Opened",
    "SecretKey",
    "open_message",
    "read_head",
    "write_message",
]
