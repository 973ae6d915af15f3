"""A server as a process, filled and left running, and requests out of spec/http.yaml that are aimed at it.

What is made out of a description alone seldom names anything that is there: here most authors, names, sums,
tags and cursors that fit their description are replaced by real ones. Which ones depends on nothing but the
request, so that each run asks the same things.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar
from zlib import crc32

import requests
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_der_x509_certificate
from schemathesis import Case, CheckContext, Response

from mau.content.binding import PUBLIC
from mau.openpgp import SecretKey
from mau.wire.identity import self_signed
from tests.server.world import Someone, audience, open_someone

CHECKOUT: Final = Path(__file__).parents[2]
PLENTY: Final = {
    f"MAU_SERVER_{name}_REQUESTS_PER_SECOND": "1000000" for name in ("FRIEND", "STRANGER", "ANONYMOUS")
} | {"MAU_DISCOVERY_KADEMLIA": "true"}
PATIENCE: Final = 30.0
RANGES: Final = ("bytes=0-0", "bytes=2-9,20-", "bytes=-5", "bytes=999999999-", "bytes=-0")
DATES: Final = (
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Thu, 31 Dec 2037 23:59:59 GMT",
    "Thursday, 01-Jan-70 00:00:00 GMT",
)
_TAGS: Final = {"If-None-Match", "If-Match", "If-Range"}
_DATES: Final = {"If-Modified-Since", "If-Unmodified-Since"}
TAR: Final = "application/x-tar"
T = TypeVar("T")


@dataclass
class Served:
    """What one visitor can ask for. ``tally`` counts the answers by status, ``archives`` the archives."""

    url: str
    session: requests.Session
    authors: Sequence[str]
    files: Sequence[tuple[str, str]]
    """Names with a sum that they have or had."""
    cursors: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    """Of what is no file, by the path in the description."""
    tokens: Sequence[str] = ()
    """Of invites, and what may be shown with them, right and wrong."""
    keys: Sequence[bytes] = ()
    tally: Counter[int] = field(default_factory=Counter)
    archives: int = 0

    def ask(self, case: Case) -> Response:
        """Send it; what comes back is counted."""
        # OpenAPI has Accept as no parameter, and so schemathesis takes none out of a case.
        accept = {"Accept": case.headers["Accept"]} if "Accept" in case.headers else None
        answer = case.call(self.url, self.session, accept, verify=False, timeout=PATIENCE)
        self.tally[answer.status_code] += 1
        self.archives += answer.headers.get("content-type") == [TAR]
        return answer

    @contextmanager
    def aimed(self, case: Case) -> Iterator[None]:
        """Replace most of what fits its description by what is there, for a while. Nobody waits for long."""
        said = (case.method, case.path, case.path_parameters, case.query, case.headers)
        dice = _Dice(repr(said).encode())
        name, sum_ = dice.one_of(self.files)
        path, query, headers = dict(case.path_parameters), dict(case.query), case.headers.copy()
        if re.fullmatch("[0-9a-f]{40}", str(path.get("fpr", ""))) and dice.roll(16):
            path["fpr"] = self.authors[0] if dice.roll(4) else dice.one_of(self.authors)
        if str(path.get("name", "")).endswith(".pgp") and dice.roll(16):
            path["name"] = name
        if re.fullmatch(r"[0-9a-f]{64}(\.pgp)?", str(path.get("sha256", ""))) and dice.roll(16):
            path["sha256"] = sum_ + str(path["sha256"])[64:]
        if "cursor" in query and dice.roll(4):
            query["cursor"] = dice.one_of(self.cursors)
            query.pop("from", None)  # they exclude each other, which OpenAPI cannot say
        if "pks" in case.path and dice.roll(2):
            query["op"], query["search"] = "get", "0x" + dice.one_of(self.authors)
        if "token" in path and dice.roll(6):
            path["token"] = dice.one_of(self.tokens)
        self._aim_headers(headers, case.path, dice, self.tags.get(case.path, f'"{sum_}"'))
        kept = case.path_parameters, case.query, case.headers, case.body
        case.path_parameters, case.query, case.headers = path, query, headers
        if "token" in path and dice.roll(6):
            case.body = dice.one_of(self.keys)
        try:
            yield
        finally:  # the next visitor is given the same request
            case.path_parameters, case.query, case.headers, case.body = kept

    def _aim_headers(self, headers: MutableMapping[str, str], path: str, dice: _Dice, tag: str) -> None:
        for name in list(headers):
            if name in _TAGS and dice.roll(3):
                headers[name] = tag
            elif name in _DATES and dice.roll(8):
                headers[name] = dice.one_of(DATES)
            elif name == "Prefer":
                headers[name] = "wait=0" if dice.roll(16) else "respond-async, wait=1"
        if dice.roll(2):  # one condition says more than five of them
            for name in _TAGS | _DATES | {"Range"}:
                headers.pop(name, None)
            ours = [{"If-None-Match": tag}, {"If-Match": '"another"'}, {"Range": dice.one_of(RANGES)}]
            headers.update(dice.one_of(ours))
        if path == "/p2p/{fpr}" and not dice.roll(4):
            headers["Accept"] = TAR


def said_in_words(_context: CheckContext, response: Response, case: Case) -> None:
    """What the rules say and OpenAPI cannot: a check for schemathesis."""
    headers = {name.lower(): values[0] for name, values in response.headers.items()}
    whole = case.method == "GET" and response.status_code == 200
    if whole and headers.get("content-type") == TAR:
        assert "etag" not in headers  # H68
        with tarfile.open(fileobj=io.BytesIO(response.content)) as archive:
            for entry in archive:
                file = archive.extractfile(entry)
                assert file is not None and entry.name.endswith(".pgp")  # H69
                assert hashlib.sha256(file.read()).hexdigest() == entry.pax_headers["MAU.sha256"]
                assert entry.pax_headers["MAU.cursor"]
    elif whole and not case.path.startswith("/kad/"):
        assert headers["etag"] == f'"{hashlib.sha256(response.content).hexdigest()}"'  # H41, H65, H73
    if case.path == "/p2p/{fpr}" and response.status_code == 200 and headers["content-type"] != TAR:
        page = {"limit", "cursor", "from"} & set(case.query)
        assert ("link" in headers) == bool(page)  # H61
        if whole and "limit" in page:
            assert len(json.loads(response.content)) <= min(int(case.query["limit"]), 1000)  # H60


class _Dice:
    """Chooses by the bytes of a request."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._rolls = 0

    def _next(self, most: int) -> int:
        self._rolls += 1
        return crc32(b"%d %s" % (self._rolls, self._seed)) % most

    def roll(self, sides: int) -> bool:
        """True, but for one of so many sides."""
        return self._next(sides) != 0

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self._next(len(choices))]


# --- the server --------------------------------------------------------------------------------------------


@contextmanager
def running(owner: Someone) -> Iterator[str]:
    """`mau serve` for somebody; yields its URL. In the end nothing went wrong in it."""
    words = ["--dir", str(owner.account.root.path), "serve", "--listen", "127.0.0.1:0", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "mau_cli.main", *words],
        env={**os.environ, **PLENTY, "MAU_PASSPHRASE": "passphrase"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            text = b""
            while not text.endswith(b"\n}\n"):
                line = process.stdout.readline()
                assert line, process.stderr.read() if process.stderr else b""
                text += line
            yield f"https://{json.loads(text)['address']}"
            process.terminate()
            _, said = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0
            assert b"Traceback" not in said, said.decode()
        finally:
            process.kill()


def settle(
    template: Path, keys: dict[str, SecretKey], place: Path
) -> tuple[Someone, Someone, list[tuple[str, str]]]:
    """Alice with posts for everybody, for Bob, for others, and one of Bob's; and Bob. Her files last."""
    shutil.copytree(template, place, dirs_exist_ok=True)
    alice, bob, carol = (open_someone(place, name, keys[name]) for name in ("alice", "bob", "carol"))
    files = []
    for name, content, readers in (
        ("hello", b"1", PUBLIC),
        ("pic é 1", b"2" * 3000, PUBLIC),
        ("kettle", b"3", audience(alice, bob)),
        ("kettle", b"4", audience(alice, bob)),
        ("large", os.urandom(600_000), audience(alice, bob)),
        ("hello", b"5", PUBLIC),
        ("not for you", b"6", audience(alice, carol)),
    ):
        path = alice.publish(name, content, readers)
        files.append((path.name, hashlib.sha256(path.read_bytes()).hexdigest()))
    mine = bob.publish("mine", b"7", PUBLIC)
    alice.holds(bob, "mine", mine.read_bytes())
    return alice, bob, files


def session_of(who: Someone | None, place: Path) -> requests.Session:
    """Requests of somebody, who proves that by a client certificate; None is a stranger."""
    session = requests.Session()
    if who is not None:
        identity = who.account.identity()
        certificate = load_der_x509_certificate(self_signed(identity))
        key = identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem = place / "visitor.pem"
        pem.touch(mode=0o600)
        pem.write_bytes(certificate.public_bytes(Encoding.PEM) + key)
        session.cert = str(pem)
    return session


def look_around(served: Served) -> None:
    """Find out what else can be asked for: positions in the listing, the last one among them, and tags."""

    def headers(path: str) -> Mapping[str, str]:
        return served.session.get(served.url + path, verify=False, timeout=PATIENCE).headers

    listing, key = f"/p2p/{served.authors[0]}", f"/pks/lookup?op=get&search=0x{served.authors[0]}"
    served.tags = {"/p2p/{fpr}": headers(listing)["ETag"], "/pks/lookup": headers(key)["ETag"]}
    links = [headers(f"{listing}?{query}")["Link"] for query in ("limit=1", "limit=2&from=newest", "limit=9")]
    served.cursors = re.findall("cursor=([A-Za-z0-9_-]+)", " ".join(links))
