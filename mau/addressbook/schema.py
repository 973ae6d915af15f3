"""The tables of the address book, and how an older book becomes this one."""

from __future__ import annotations

from typing import Final

VERSION: Final = 3

SCHEMA: Final = """
CREATE TABLE address (
  fingerprint BLOB NOT NULL,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  source TEXT NOT NULL,
  first_heard INTEGER NOT NULL,
  first_proven INTEGER,
  last_proven INTEGER,
  last_failed INTEGER,
  last_tried INTEGER,
  failures INTEGER NOT NULL DEFAULT 0,
  kad INTEGER,
  PRIMARY KEY (fingerprint, host, port)
) WITHOUT ROWID;
CREATE INDEX address_hint ON address (first_heard) WHERE last_proven IS NULL;
CREATE INDEX address_proven ON address (last_proven) WHERE last_proven IS NOT NULL;
CREATE TABLE place (
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  last_failed INTEGER NOT NULL,
  there BLOB,
  PRIMARY KEY (host, port)
) WITHOUT ROWID;
CREATE INDEX place_age ON place (last_failed);
CREATE TABLE route (
  fingerprint BLOB NOT NULL,
  relay BLOB NOT NULL,
  source TEXT NOT NULL,
  first_heard INTEGER NOT NULL,
  last_proven INTEGER,
  last_failed INTEGER,
  failures INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (fingerprint, relay)
) WITHOUT ROWID
"""

# The first book held only what was proven.
FROM_1: Final = (
    "ALTER TABLE address RENAME TO earlier;"  # noqa: S608 - words of our own
    + SCHEMA
    + """;
INSERT INTO address (fingerprint, host, port, source, first_heard, first_proven, last_proven, last_failed,
  last_tried, failures)
  SELECT fingerprint, host, port, source, first_proven, first_proven, last_proven, last_failed,
  max(last_proven, coalesce(last_failed, 0)), failures FROM earlier;
DROP TABLE earlier
"""
)

# It did not note who was met where somebody else was looked for.
FROM_2: Final = "ALTER TABLE place ADD COLUMN there BLOB"
