"""Impostors: nobody who lacks the key is taken for its owner, on either side of a connection (spec/tls.md).

The attackers use OpenSSL and forge certificates. Each forgery is tried as a server against our client and as
a client against our server. What counts is not an exception but what travels: no attacker is sent a request,
sees our client's certificate, or is answered a byte that was meant for the victim.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier
from OpenSSL import SSL, crypto

from mau.errors import IdentityError
from mau.wire.identity import Identity, self_signed
from mau.wire.tls import identity_error
from tests.wire.attackers import (
    CREATED,
    REQUEST,
    SECRET,
    Seen,
    ask,
    attack_as_client,
    attacking_server,
    mallory,
    me,
    our_server,
    rsa_key,
    victim,
)

AnyKey = ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


# --- forging -----------------------------------------------------------------------------------------------


@dataclass
class Forgery:
    """What an attacker shows: certificates, leaf first, and the key he signs the handshake with."""

    chain: list[bytes]
    key: AnyKey | crypto.PKey
    target: Identity = field(default_factory=victim)
    versions: tuple[int, int] = (SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION)


FORGERIES: dict[str, Callable[[], Forgery]] = {}


def forgery(function: Callable[[], Forgery]) -> Callable[[], Forgery]:
    FORGERIES[function.__name__.replace("_", " ")] = function
    return function


def name(**attributes: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(getattr(NameOID, oid), text) for oid, text in attributes.items()])


def moment(seconds: int) -> datetime.datetime:
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=seconds)


def certificate(
    key: AnyKey | None = None,
    *,
    signer: AnyKey | None = None,
    subject: x509.Name | None = None,
    issuer: x509.Name | None = None,
    created: int = CREATED,
    ends: int = CREATED + 3_000_000_000,
    serial: int = 1,
    names: list[x509.GeneralName] | None = None,
    extensions: list[x509.ExtensionType] | None = None,
) -> bytes:
    key = key or mallory().private_key
    signer = signer or key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject or x509.Name([]))
        .issuer_name(issuer or x509.Name([]))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(moment(created))
        .not_valid_after(moment(ends))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
    for extension in extensions or ():
        builder = builder.add_extension(extension, critical=False)
    edwards = ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
    digest = None if isinstance(signer, edwards) else hashes.SHA256()
    return builder.sign(signer, digest).public_bytes(serialization.Encoding.DER)


def claims(**details: object) -> Forgery:
    """Show a certificate of Mallory's own key that claims something."""
    return Forgery([certificate(**details)], mallory().private_key)  # type: ignore[arg-type]


def hex_of_victim() -> str:
    return victim().fingerprint.hex


# Words in the certificate.


@forgery
def dns_name() -> Forgery:
    return claims(names=[x509.DNSName(hex_of_victim())])


@forgery
def dns_name_after_an_address() -> Forgery:
    return claims(names=[x509.DNSName("192.0.2.2:9000"), x509.DNSName(hex_of_victim())])


@forgery
def dns_name_in_capitals() -> Forgery:
    return claims(names=[x509.DNSName(hex_of_victim().upper())])


@forgery
def dns_name_followed_by_nul() -> Forgery:
    return claims(names=[x509.DNSName(hex_of_victim() + "\0.example.org")])


@forgery
def dns_name_of_both() -> Forgery:
    return claims(names=[x509.DNSName(hex_of_victim()), x509.DNSName(mallory().fingerprint.hex)])


@forgery
def common_name() -> Forgery:
    return claims(subject=name(COMMON_NAME=hex_of_victim()))


@forgery
def common_name_of_the_issuer() -> Forgery:
    return claims(issuer=name(COMMON_NAME=hex_of_victim()))


@forgery
def serial_number_in_the_subject() -> Forgery:
    return claims(subject=name(SERIAL_NUMBER=hex_of_victim()))


@forgery
def user_id_in_the_subject() -> Forgery:
    return claims(subject=name(USER_ID=hex_of_victim()))


@forgery
def mail_address() -> Forgery:
    return claims(names=[x509.RFC822Name(hex_of_victim() + "@mau.invalid")])


@forgery
def uri() -> Forgery:
    return claims(names=[x509.UniformResourceIdentifier("mau:/p2p/" + hex_of_victim())])


@forgery
def directory_name() -> Forgery:
    return claims(names=[x509.DirectoryName(name(COMMON_NAME=hex_of_victim()))])


@forgery
def other_name() -> Forgery:
    value = b"\x04\x14" + victim().fingerprint.raw
    return claims(names=[x509.OtherName(ObjectIdentifier("1.3.6.1.4.1.11591.2.9"), value)])


@forgery
def private_extension() -> Forgery:
    oid = ObjectIdentifier("1.3.6.1.4.1.99999.1")
    return claims(extensions=[x509.UnrecognizedExtension(oid, b"\x04\x14" + victim().fingerprint.raw)])


@forgery
def subject_key_identifier() -> Forgery:
    return claims(extensions=[x509.SubjectKeyIdentifier(victim().fingerprint.raw)])


@forgery
def authority_key_identifier() -> Forgery:
    return claims(extensions=[x509.AuthorityKeyIdentifier(victim().fingerprint.raw, None, None)])


@forgery
def serial_number() -> Forgery:
    return claims(serial=int.from_bytes(victim().fingerprint.raw, "big") >> 1)


@forgery
def every_word_at_once() -> Forgery:
    return claims(
        subject=name(COMMON_NAME=hex_of_victim(), SERIAL_NUMBER=hex_of_victim()),
        issuer=name(COMMON_NAME=hex_of_victim()),
        names=[x509.DNSName(hex_of_victim()), x509.UniformResourceIdentifier("mau:/p2p/" + hex_of_victim())],
        extensions=[x509.SubjectKeyIdentifier(victim().fingerprint.raw)],
    )


@forgery
def a_plain_stranger() -> Forgery:
    return Forgery([self_signed(mallory())], mallory().private_key)


# Times.


@forgery
def creation_time_of_the_victim() -> Forgery:
    return claims(created=CREATED)


@forgery
def key_of_the_victim_one_second_later() -> Forgery:
    return Forgery([certificate(victim().private_key, created=CREATED + 1)], victim().private_key)


@forgery
def key_of_the_victim_one_second_earlier() -> Forgery:
    return Forgery([certificate(victim().private_key, created=CREATED - 1)], victim().private_key)


@forgery
def key_of_the_victim_an_hour_off() -> Forgery:
    return Forgery([certificate(victim().private_key, created=CREATED - 3600)], victim().private_key)


@forgery
def key_of_the_victim_after_the_counter_of_seconds_wrapped() -> Forgery:
    later = CREATED + 2**32
    return Forgery([certificate(victim().private_key, created=later, ends=later + 9)], victim().private_key)


@forgery
def key_of_the_victim_before_1970() -> Forgery:
    return Forgery([certificate(victim().private_key, created=-1)], victim().private_key)


@forgery
def rsa_key_of_the_victim_at_another_time() -> Forgery:
    key = victim("rsa").private_key
    return Forgery([certificate(key, created=CREATED + 1)], key, victim("rsa"))


@forgery
def p256_key_of_the_victim_at_another_time() -> Forgery:
    key = victim("p256").private_key
    return Forgery([certificate(key, created=CREATED + 1)], key, victim("p256"))


@forgery
def expired() -> Forgery:
    return claims(names=[x509.DNSName(hex_of_victim())], created=1000, ends=2000)


@forgery
def not_valid_yet() -> Forgery:
    return claims(names=[x509.DNSName(hex_of_victim())], created=4_000_000_000, ends=4_100_000_000)


# Chains.


@forgery
def victim_behind_the_leaf() -> Forgery:
    return Forgery([self_signed(mallory()), self_signed(victim())], mallory().private_key)


@forgery
def victim_twice_behind_the_leaf() -> Forgery:
    return Forgery([self_signed(mallory()), *[self_signed(victim())] * 2], mallory().private_key)


@forgery
def rsa_victim_behind_the_leaf() -> Forgery:
    chain = [self_signed(mallory()), self_signed(victim("rsa"))]
    return Forgery(chain, mallory().private_key, victim("rsa"))


@forgery
def long_chain_that_ends_at_the_victim() -> Forgery:
    links = [certificate(serial=number) for number in range(2, 12)]
    return Forgery([self_signed(mallory()), *links, self_signed(victim())], mallory().private_key)


@forgery
def leaf_signed_by_the_victim() -> Forgery:
    leaf = certificate(signer=victim().private_key, names=[x509.DNSName(hex_of_victim())])
    return Forgery([leaf], mallory().private_key)


@forgery
def leaf_signed_by_the_victim_as_an_authority() -> Forgery:
    authority = name(COMMON_NAME=hex_of_victim())
    root = certificate(
        victim().private_key,
        subject=authority,
        issuer=authority,
        extensions=[x509.BasicConstraints(ca=True, path_length=None)],
    )
    leaf = certificate(signer=victim().private_key, subject=authority, issuer=authority, serial=2)
    return Forgery([leaf, root], mallory().private_key)


@forgery
def leaf_of_the_victims_date_signed_by_the_rsa_victim() -> Forgery:
    leaf = certificate(signer=victim("rsa").private_key)
    return Forgery([leaf, self_signed(victim("rsa"))], mallory().private_key, victim("rsa"))


# The victim's certificate, without or with another key.


@forgery
def victims_certificate_with_the_key_replaced() -> Forgery:
    ours, his = (who.private_key.public_key().public_bytes_raw() for who in (mallory(), victim()))  # type: ignore[union-attr]
    return Forgery([self_signed(victim()).replace(his, ours)], mallory().private_key)


@forgery
def own_certificate_with_a_broken_signature() -> Forgery:
    der = certificate(names=[x509.DNSName(hex_of_victim())])
    return Forgery([der[:-1] + bytes((der[-1] ^ 1,))], mallory().private_key)


@forgery
def rsa_victims_certificate_without_its_key() -> Forgery:
    """The victim's public half, with exponents for signing that are Mallory's own."""
    target = victim("rsa")
    assert isinstance(target.private_key, rsa.RSAPrivateKey)
    true, own = target.private_key.private_numbers(), rsa_key(2048).private_numbers()
    key = rsa.RSAPrivateNumbers(
        true.p, true.q, own.d, own.dmp1, own.dmq1, true.iqmp, true.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    return Forgery([self_signed(target)], key, target)


@forgery
def p256_victims_certificate_without_its_key() -> Forgery:
    """The victim's point beside a secret number of Mallory's."""
    target = victim("p256")
    own = ec.generate_private_key(ec.SECP256R1())
    form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    written = own.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).replace(own.public_key().public_bytes(*form), target.private_key.public_key().public_bytes(*form))
    return Forgery([self_signed(target)], crypto.load_privatekey(crypto.FILETYPE_ASN1, written), target)


@forgery
def rsa_key_of_the_same_size() -> Forgery:
    return Forgery([certificate(rsa_key(2048))], rsa_key(2048), victim("rsa"))


@forgery
def rsa_key_whose_exponent_differs() -> Forgery:
    public = rsa_key(2048, "victim").public_key().public_numbers()
    numbers = rsa_key(2048, "victim").private_numbers()
    order = (numbers.p - 1) * (numbers.q - 1)
    exponent = next(prime for prime in (257, 263, 269, 271, 277) if order % prime)  # one that has an inverse
    inverse = pow(exponent, -1, order)
    key = rsa.RSAPrivateNumbers(
        numbers.p,
        numbers.q,
        inverse,
        rsa.rsa_crt_dmp1(inverse, numbers.p),
        rsa.rsa_crt_dmq1(inverse, numbers.q),
        numbers.iqmp,
        rsa.RSAPublicNumbers(exponent, public.n),
    ).private_key()
    return Forgery([certificate(key)], key, victim("rsa"))


@forgery
def p256_key_of_the_same_date() -> Forgery:
    key = ec.generate_private_key(ec.SECP256R1())
    return Forgery([certificate(key)], key, victim("p256"))


@forgery
def p256_key_mirrored() -> Forgery:
    """The negative of the victim's point: the same X, and the victim's own secret with the sign changed."""
    assert isinstance(victim("p256").private_key, ec.EllipticCurvePrivateKey)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    secret = victim("p256").private_key.private_numbers().private_value  # type: ignore[union-attr]
    key = ec.derive_private_key(order - secret, ec.SECP256R1())
    return Forgery([certificate(key)], key, victim("p256"))


# Kinds of keys.


def named_key(key: AnyKey) -> Forgery:
    return Forgery([certificate(key, names=[x509.DNSName(hex_of_victim())])], key)


UNFIT = {
    "rsa of 1024 bits": lambda: named_key(rsa_key(1024)),
    "rsa of 2040 bits": lambda: named_key(rsa_key(2040)),
    "ed448": lambda: named_key(ed448.Ed448PrivateKey.generate()),
    "brainpool": lambda: named_key(ec.generate_private_key(ec.BrainpoolP256R1())),
    "key of the victim before 1970": key_of_the_victim_before_1970,
    "key of the victim after the counter of seconds wrapped": (
        key_of_the_victim_after_the_counter_of_seconds_wrapped
    ),
}
FORGERIES |= UNFIT
# TLS 1.3 has no signature for it: the attacker can only show nothing at all.
UNABLE = {"secp256k1": lambda: named_key(ec.generate_private_key(ec.SECP256K1()))}
FORGERIES |= UNABLE
FORGERIES["rsa leaf"] = lambda: named_key(rsa_key(2048))
FORGERIES["p256 leaf"] = lambda: named_key(ec.generate_private_key(ec.SECP256R1()))
FORGERIES["p384 leaf"] = lambda: named_key(ec.generate_private_key(ec.SECP384R1()))
FORGERIES["p521 leaf"] = lambda: named_key(ec.generate_private_key(ec.SECP521R1()))


# Old versions, with the right key and certificate.


def older(minimum: int, maximum: int, kind: str = "ed25519") -> Forgery:
    who = victim(kind)
    return Forgery([self_signed(who)], who.private_key, who, versions=(minimum, maximum))


OLD = {
    "TLS 1.2": lambda: older(SSL.TLS1_VERSION, SSL.TLS1_2_VERSION),
    "TLS 1.2, rsa": lambda: older(SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION, "rsa"),
    "TLS 1.1": lambda: older(SSL.TLS1_VERSION, SSL.TLS1_1_VERSION, "rsa"),
    "TLS 1.0": lambda: older(SSL.TLS1_VERSION, SSL.TLS1_VERSION, "rsa"),
}
FORGERIES |= OLD


# --- the attackers -----------------------------------------------------------------------------------------


def attackers_settings(forged: Forgery | None) -> SSL.Context:
    settings = SSL.Context(SSL.TLS_METHOD)
    settings.set_cipher_list(b"ALL:@SECLEVEL=0")
    lowest, highest = forged.versions if forged else (SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION)
    settings.set_min_proto_version(lowest)
    settings.set_max_proto_version(highest)
    settings.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    if forged is not None:
        leaf, *rest = (crypto.load_certificate(crypto.FILETYPE_ASN1, der) for der in forged.chain)
        with pytest.warns(DeprecationWarning):
            settings.use_certificate(leaf)
            for link in rest:
                settings.add_extra_chain_cert(link)
            settings.use_privatekey(forged.key)  # last: only then may the two disagree
    return settings


def converse(settings: SSL.Context, raw: socket.socket, *, server: bool) -> Seen:
    """Do the attacker's part on a connected socket: hand-shake, ask (as a client), and take what comes."""
    seen = Seen()
    raw.settimeout(None)  # pyOpenSSL takes a timeout for "not blocking"; the test's own limit ends it
    with contextlib.closing(raw):
        tls = SSL.Connection(settings, raw)
        with contextlib.suppress(SSL.Error, ConnectionError):
            if server:
                tls.set_accept_state()
                tls.do_handshake()
                shown = tls.get_peer_certificate()
                seen.certificate = (
                    None if shown is None else crypto.dump_certificate(crypto.FILETYPE_ASN1, shown)
                )
            else:
                tls.set_connect_state()
                tls.do_handshake()
                tls.sendall(REQUEST)
            while data := tls.recv(65536):
                seen.data += data
                if server:
                    tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    return seen


def serving(forged: Forgery) -> Callable[[socket.socket], Seen]:
    return functools.partial(converse, attackers_settings(forged), server=True)


def calling(forged: Forgery | None) -> Callable[[socket.socket], Seen]:
    return functools.partial(converse, attackers_settings(forged), server=False)


# --- what must hold ----------------------------------------------------------------------------------------

ALL = sorted(FORGERIES)


def test_there_are_many_forgeries() -> None:
    assert len(ALL) > 50


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "p256"])
async def test_the_true_one_is_sent_the_request(kind: str) -> None:
    who = victim(kind)
    with attacking_server(serving(Forgery([self_signed(who)], who.private_key, who))) as (port, result):
        assert await ask(port, who.fingerprint) == "ok"
        seen = result()
    assert seen.data.startswith(b"GET /p2p/")
    assert seen.certificate == self_signed(me())


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "p256"])
async def test_the_true_one_is_answered(kind: str) -> None:
    who = victim(kind)
    honest = Forgery([self_signed(who)], who.private_key, who)
    async with our_server(who.fingerprint) as ours:
        seen = await attack_as_client(ours.port, calling(honest))
    assert seen.data == SECRET
    assert ours.visitors == [who.fingerprint]


async def test_company_behind_the_true_one_changes_nothing() -> None:
    who = victim("rsa")
    links = [
        certificate(rsa_key(2048), serial=number, subject=name(COMMON_NAME="x")) for number in range(2, 42)
    ]
    crowd = Forgery([self_signed(who), self_signed(mallory()), *links], who.private_key, who)
    with attacking_server(serving(crowd)) as (port, result):
        assert await ask(port, who.fingerprint) == "ok"
        assert result().data
    async with our_server(who.fingerprint) as ours:
        assert (await attack_as_client(ours.port, calling(crowd))).data == SECRET


@pytest.mark.parametrize("attempt", ALL)
async def test_no_impostor_is_sent_a_request(attempt: str) -> None:
    forged = FORGERIES[attempt]()
    with attacking_server(serving(forged)) as (port, result):
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await ask(port, forged.target.fingerprint)
        seen = result()
    assert seen == Seen(data=b"", certificate=None)
    if attempt not in (*OLD, *UNFIT, *UNABLE):
        assert isinstance(identity_error(caught.value), IdentityError)


@pytest.mark.parametrize("attempt", ALL)
async def test_no_impostor_is_answered(attempt: str) -> None:
    forged = FORGERIES[attempt]()
    async with our_server(forged.target.fingerprint) as ours:
        seen = await attack_as_client(ours.port, calling(forged))
    assert seen.data == b""
    assert forged.target.fingerprint not in ours.visitors
    if attempt in UNFIT or attempt in OLD or "without" in attempt:
        assert ours.visitors == []  # not even as a stranger


async def test_nobody_in_particular_is_a_stranger() -> None:
    async with our_server(victim().fingerprint) as ours:
        seen = await attack_as_client(ours.port, calling(None))
    assert seen.data == b""
    assert ours.visitors == [None]
