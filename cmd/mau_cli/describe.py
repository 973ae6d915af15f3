"""An account in words and in JSON, the same wherever it is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mau.account import Account


def who(account: Account) -> str:
    """The account's user id: ``Alice <alice@example.org>``."""
    return " ".join(filter(None, (account.name, f"<{account.email}>" if account.email else "")))


def account_facts(account: Account) -> dict[str, object]:
    """What `--json` says of an account."""
    created = datetime.fromtimestamp(account.key.created, UTC)
    return {
        "name": account.name,
        "email": account.email,
        "fingerprint": account.fingerprint,
        "words": " ".join(account.fingerprint.words),
        "algorithm": account.certificate.algorithm,
        "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "root": str(account.root.path),
    }
