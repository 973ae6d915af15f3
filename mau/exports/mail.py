"""A post as a mail that any mail program with OpenPGP opens (RFC 3156, spec/exports.md X10-X13). Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.policy import SMTP
from email.utils import format_datetime


def mail_of(armored: str, signed_at: int, *, encrypted: bool) -> bytes:
    """The mail, without sender and recipients; nothing of what is inside stands in its head.

    An encrypted message is PGP/MIME; one that is signed only stands in the text, for PGP/MIME has no place
    for it.
    """
    date = format_datetime(datetime.fromtimestamp(signed_at, UTC))
    if not encrypted:
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = "A signed post"
        mail["Date"] = date
        mail["X-Unsent"] = "1"
        mail.set_content(armored, charset="us-ascii", cte="7bit")
        return mail.as_bytes()
    whole = MIMEMultipart("encrypted", protocol="application/pgp-encrypted", policy=SMTP)
    whole["Subject"] = "An encrypted post"
    whole["Date"] = date
    whole["X-Unsent"] = "1"  # mail programs open it as a draft
    whole.attach(_part("Version: 1\r\n", "pgp-encrypted", "PGP/MIME version"))
    message = _part(armored.replace("\n", "\r\n"), "octet-stream", "OpenPGP encrypted message")
    message["Content-Disposition"] = 'inline; filename="encrypted.asc"'
    whole.attach(message)
    return whole.as_bytes(policy=SMTP)


def _part(text: str, subtype: str, description: str) -> MIMEApplication:
    part = MIMEApplication(text.encode("ascii"), subtype, _encoder=_as_it_is, policy=SMTP)
    part["Content-Description"] = description
    return part


def _as_it_is(message: MIMEApplication) -> None:
    """ASCII goes through every mail server as it is."""
    data = message.get_payload(decode=True)
    message.set_payload(data.decode("ascii") if isinstance(data, bytes) else "")
    message["Content-Transfer-Encoding"] = "7bit"
