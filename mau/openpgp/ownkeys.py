"""Our own secret keys as objects of ``cryptography``."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from mau.errors import AccountDamaged


def private_key(packet: Any) -> Any:
    """The private key in one of our key packets (PGPy's); AccountDamaged when an RSA key is none.

    OpenSSL checks the primes of an RSA key anew at each start, for 0.25 s. They lie in our own encrypted,
    integrity protected file, so what would betray a damaged key is checked here: that its numbers belong
    together.
    """
    material = packet.keymaterial
    if not all(hasattr(material, name) for name in ("n", "e", "d", "p", "q")):
        return material.__privkey__()
    n, e, d, p, q = (int(getattr(material, name)) for name in ("n", "e", "d", "p", "q"))
    if p * q != n or p < 2 or q < 2 or (e * d) % (p - 1) != 1 or (e * d) % (q - 1) != 1:
        raise AccountDamaged("the numbers of the RSA key do not belong together; restore it from a backup")
    crt = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    numbers = rsa.RSAPrivateNumbers(p, q, d, *crt, rsa.RSAPublicNumbers(e, n))
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)
