"""The server does what spec/http.yaml says: requests made out of that document, right ones and wrong ones, by
a friend with a client certificate and by a stranger without, to `mau serve` over real TLS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks

from mau.invite.book import InviteBook
from mau.invite.facts import new_token
from tests.server.conftest import Template
from tests.server.contract import CHECKOUT, Served, look_around, running, said_in_words, session_of, settle

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
    said_in_words,
]
HERE = (200, 204, 206, 304, 403, 404, 410, 412, 416, 429)
"""Statuses of requests that got as far as to what is there, or not there."""
ANSWERS = {
    "/{name}": {200, 304, 400, 404, 412},
    "/p2p": {200, 304, 400, 410, 412},
    "/pks": {200, 304, 400, 404, 412, 501},
    "/kad/ping": {200},
    "/kad/find_peer": {200, 400},
    "/kad/dial_back": {200, 403, 429},
    "/invite": {204, 400, 404},
}
"""What is to be had with GET and HEAD, and PUT where a key is left."""

pytestmark = [
    pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning"),
    pytest.mark.timeout(120),
]


def described(examples: int) -> schemathesis.BaseSchema:
    """What can be asked: so many requests of each kind, besides those at the edges of each parameter."""
    config = {
        "generation": {"deterministic": True, "max-examples": examples},
        # What was answered is another thing in each run, and so would be what is asked then.
        "phases": {
            "fuzzing": {"extra-data-sources": {"responses": False}, "error-feedback": {"enabled": False}}
        },
        # Of HKP there is only a part here.
        "checks": {"not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "501"]}},
    }
    return schemathesis.openapi.from_path(
        CHECKOUT / "spec" / "http.yaml", config=schemathesis.Config.from_dict(config)
    )


@pytest.fixture(scope="module")
def visitors(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    place = tmp_path_factory.mktemp("contract")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(place / "state"))
        alice, bob, files = settle(template.place, template.keys, place)
        with closing(InviteBook(alice.account)) as book:
            tokens = [book.make(seconds=3600, uses=9)[0] for _ in range(2)] + [new_token()]
        with running(alice) as url:
            authors = [alice.fingerprint.hex, bob.fingerprint.hex, "0" * 40]
            found = {
                "friend": Served(url, session_of(bob, place), authors, files),
                # Not as much of what is there is for him.
                "stranger": Served(url, session_of(None, place), authors, files[:3] + files[-2:]),
            }
            for one in found.values():
                look_around(one)
                one.tokens = tokens
                one.keys = [bytes(who.account.certificate) for who in (bob, bob, alice)] + [b"nonsense"]
            yield found
            for one in found.values():
                one.session.close()


@pytest.fixture(params=["friend", "stranger"])
def visitor(request: pytest.FixtureRequest, visitors: dict[str, Served]) -> Iterator[Served]:
    """One visitor with one operation; in the end nearly every answer was had that there is, and most of them
    were no mere refusals of nonsense."""
    served = visitors[request.param]
    served.tally, served.archives = Counter(), 0
    yield served
    expected = next(answers for path, answers in ANSWERS.items() if path in request.node.name)
    if "/invite" in request.node.name:  # a stranger is told one thing, whatever he shows
        expected = {403} if served.session.cert is None else expected
    assert len(expected - set(served.tally)) <= (2 if "dial_back" in request.node.name else 1), served.tally
    assert served.archives or "/p2p/{fpr}]" not in request.node.name
    assert sum(served.tally[status] for status in HERE) > served.tally.total() / 4, served.tally


@described(examples=40).parametrize()
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_server_keeps_to_what_is_written(case: schemathesis.Case, visitor: Served) -> None:
    with visitor.aimed(case):
        case.validate_response(visitor.ask(case), checks=CHECKS)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@described(examples=1000).parametrize()
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_and_so_it_does_many_times(case: schemathesis.Case, visitor: Served) -> None:
    with visitor.aimed(case):
        case.validate_response(visitor.ask(case), checks=CHECKS)
