"""The table of all that lies in the tree: an SQLite database in memory, kept at rest as one sealed image.

What orders, filters and gathers posts stands here; what a post says in short is a note of its own
(`mau.reader.notes`). About 250 bytes a post. Nothing here opens a file of the tree.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from typing import Final, Literal

from mau.content.address import Address
from mau.content.tags import fold_tag
from mau.deletion.document import Delete
from mau.fingerprint import Fingerprint
from mau.reader.owners import OwnerOf, Owners, pack, still_hold, unpack
from mau.reader.rows import Act, Choice, Row, State
from mau.reader.summary import Summary
from mau.reader.written import dump_delete, load_delete

VERSION: Final = 2
ANSWERS: Final = 0
OBJECTS: Final = 1
Points = Literal[0, 1]
_CHUNK: Final = 400
_SCHEMA: Final = """
CREATE TABLE author (
  id INTEGER PRIMARY KEY, fpr BLOB NOT NULL UNIQUE, generation TEXT NOT NULL DEFAULT '',
  clock INTEGER NOT NULL DEFAULT 0, places BLOB NOT NULL DEFAULT x'', keys BLOB NOT NULL DEFAULT x'');
CREATE TABLE post (
  id INTEGER PRIMARY KEY, author INTEGER NOT NULL, name TEXT NOT NULL, sha256 BLOB NOT NULL,
  stamp BLOB NOT NULL, hidden INTEGER NOT NULL, time INTEGER NOT NULL, error TEXT NOT NULL,
  apart TEXT NOT NULL, type TEXT NOT NULL, act TEXT NOT NULL, again INTEGER NOT NULL, note BLOB NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0, owners INTEGER, UNIQUE (author, name));
CREATE TABLE owners (id INTEGER PRIMARY KEY, said BLOB NOT NULL UNIQUE);
CREATE INDEX shown ON post (time) WHERE error = '' AND apart = '' AND hidden = 0;
CREATE INDEX again ON post (again) WHERE again > 0;
CREATE INDEX unsettled ON post (author) WHERE stamp = x'';
CREATE INDEX rests ON post (owners) WHERE owners IS NOT NULL;
CREATE INDEX wrong ON post (error) WHERE error != '';
CREATE TABLE link (target BLOB NOT NULL, kind INTEGER NOT NULL, post INTEGER NOT NULL,
  PRIMARY KEY (target, kind, post)) WITHOUT ROWID;
CREATE INDEX links ON link (post);
CREATE TABLE tag (tag TEXT NOT NULL, post INTEGER NOT NULL, PRIMARY KEY (tag, post)) WITHOUT ROWID;
CREATE INDEX tags ON tag (post);
CREATE TABLE deletion (post INTEGER PRIMARY KEY, author INTEGER NOT NULL, said TEXT NOT NULL);
CREATE TABLE looked (at INTEGER NOT NULL, people BLOB NOT NULL);
INSERT INTO looked VALUES (0, x'')
"""


class Table:
    """One database. Callers see to it that threads take turns."""

    def __init__(self, image: bytes | None = None) -> None:
        """From an image, which the caller has authenticated; else an empty one."""
        self._looks = 0
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA temp_store = MEMORY")  # what is sorted lies on no disk, either
        if image is None:
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
        else:
            self._db.deserialize(image)

    def image(self) -> bytes:
        """All of it."""
        return self._db.serialize()

    def close(self) -> None:
        """Let go of the memory."""
        self._db.close()

    @contextlib.contextmanager
    def change(self) -> Iterator[None]:
        """What happens inside happens as a whole."""
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # --- authors -------------------------------------------------------------------------------------------

    def authors(self) -> list[Fingerprint]:
        """Everybody of whom there is anything."""
        return [Fingerprint(raw) for (raw,) in self._db.execute("SELECT fpr FROM author")]

    def state(self, author: Fingerprint) -> State:
        """Up to where an author is known."""
        row = self._db.execute(
            "SELECT generation, clock, places, keys FROM author WHERE fpr = ?", (author.raw,)
        ).fetchone()
        return State() if row is None else State(*row)

    def put_state(self, author: Fingerprint, state: State) -> None:
        """Note up to where an author is known."""
        self._db.execute(
            "UPDATE author SET generation = ?, clock = ?, places = ?, keys = ? WHERE id = ?",
            (state.generation, state.clock, state.places, state.keys, self._number(author)),
        )

    def drop_author(self, author: Fingerprint) -> None:
        """Nothing of him lies in the tree any more."""
        self.drop(author, [row.name for row in self.rows(author)])
        self._db.execute("DELETE FROM author WHERE fpr = ?", (author.raw,))

    @property
    def looked_at(self) -> int:
        """When all files were compared the last time, in unix seconds."""
        return int(self._db.execute("SELECT at FROM looked").fetchone()[0])

    @looked_at.setter
    def looked_at(self, at: int) -> None:
        self._looks += 1
        self._db.execute("UPDATE looked SET at = ?", (at,))

    @property
    def people(self) -> bytes:
        """What stood for the keys of all people when all verdicts fitted them (`state_of_people`)."""
        return bytes(self._db.execute("SELECT people FROM looked").fetchone()[0])

    @people.setter
    def people(self, people: bytes) -> None:
        self._looks += 1
        self._db.execute("UPDATE looked SET people = ?", (people,))

    @property
    def changes(self) -> int:
        """Another number when anything that it holds may have changed, but for `looked_at` and `people`."""
        return self._db.total_changes - self._looks

    # --- posts ---------------------------------------------------------------------------------------------

    def put(
        self,
        summary: Summary,
        stamp: bytes,
        delete: Delete | None = None,
        *,
        note: bytes = b"",
        again: int = 0,
        unread: bool = False,
        owners: Owners = (),
    ) -> None:
        """Note a file; ``again``: when it is to be judged again, in unix seconds, 0 for never. ``owners``: as
        `Looked.owners`.

        ``unread``: it could not be read, so whatever is there next time is new.
        """
        author = self._number(summary.author)
        sha256 = b"" if unread else bytes.fromhex(summary.sha256)
        row = self._db.execute(
            "SELECT id FROM post WHERE author = ? AND name = ?", (author, summary.name)
        ).fetchone()
        if row is not None:
            self._drop(row[0])
        number = self._db.execute(
            "INSERT INTO post (author, name, sha256, stamp, hidden, time, error, apart, type, act, again,"
            " note, owners) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                author,
                summary.name,
                sha256,
                stamp,
                summary.hidden,
                summary.time,
                summary.error,
                summary.apart,
                summary.type,
                summary.links.act,
                again,
                note,
                self._owners(pack(owners)) if owners else None,
            ),
        ).lastrowid
        if summary.error or summary.apart:
            if delete is not None:
                self._db.execute(
                    "INSERT INTO deletion VALUES (?, ?, ?)", (number, author, json.dumps(dump_delete(delete)))
                )
            return
        kinds = ((ANSWERS, summary.links.answers), (OBJECTS, summary.links.objects))
        self._db.executemany(
            "INSERT OR IGNORE INTO link VALUES (?, ?, ?)",
            [(_mark(one.address), kind, number) for kind, found in kinds for one in found],
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO tag VALUES (?, ?)", [(tag, number) for tag in summary.tags]
        )

    def place(self, author: Fingerprint, name: str, stamp: bytes, *, hidden: bool) -> None:
        """The same content lies elsewhere, or has another stamp."""
        self._db.execute(
            "UPDATE post SET stamp = ?, hidden = ? WHERE author = ? AND name = ?",
            (stamp, hidden, self._number(author), name),
        )

    def drop(self, author: Fingerprint, names: Iterable[str]) -> None:
        """Files are gone."""
        number = self._number(author)
        for name in names:
            row = self._db.execute(
                "SELECT id FROM post WHERE author = ? AND name = ?", (number, name)
            ).fetchone()
            if row is not None:
                self._drop(row[0])

    def row(self, author: Fingerprint, name: str) -> Row | None:
        """What is noted of one file."""
        found = self._db.execute(
            f"SELECT {_COLUMNS} FROM post JOIN author ON author.id = post.author WHERE fpr = ? AND name = ?",  # noqa: S608
            (author.raw, name),
        ).fetchone()
        return None if found is None else _row(found)

    def rows(self, author: Fingerprint) -> Iterator[Row]:
        """Every file of an author."""
        for found in self._db.execute(
            f"SELECT {_COLUMNS} FROM post JOIN author ON author.id = post.author WHERE fpr = ?",  # noqa: S608
            (author.raw,),
        ):
            yield _row(found)

    def stamps(self, author: Fingerprint) -> dict[str, tuple[bytes, bool]]:
        """(stamp, hidden) of every file of an author, by name."""
        found = self._db.execute(
            "SELECT name, stamp, hidden FROM post WHERE author = ?", (self._number(author),)
        )
        return {name: (stamp, bool(hidden)) for name, stamp, hidden in found}

    def counted(self, author: Fingerprint) -> tuple[int, int]:
        """(files of the author, how many of them are hidden)."""
        row = self._db.execute(
            "SELECT count(*), coalesce(sum(hidden), 0) FROM post WHERE author = ?", (self._number(author),)
        ).fetchone()
        return int(row[0]), int(row[1])

    def count(self) -> int:
        """All files."""
        return int(self._db.execute("SELECT count(*) FROM post").fetchone()[0])

    def due(self, now: int) -> list[tuple[Fingerprint, str]]:
        """What is to be judged again by now, and what could not be read."""
        found = self._db.execute(
            "SELECT fpr, name FROM post JOIN author ON author.id = post.author"
            " WHERE post.again > 0 AND post.again <= ?",
            (now,),
        )
        return [(Fingerprint(raw), name) for raw, name in found]

    def outdated(self, owner_of: OwnerOf) -> list[tuple[Fingerprint, str]]:
        """Whose verdict rests on key ids that are somebody else's by now."""
        self._db.execute(
            "DELETE FROM owners WHERE id NOT IN (SELECT owners FROM post WHERE owners IS NOT NULL)"
        )
        noted = self._db.execute("SELECT id, said FROM owners").fetchall()
        found: list[tuple[Fingerprint, str]] = []
        for number, said in noted:
            if not still_hold(unpack(said), owner_of):
                found += (
                    (Fingerprint(raw), name)
                    for raw, name in self._db.execute(
                        "SELECT fpr, name FROM post JOIN author ON author.id = post.author"
                        " WHERE post.owners = ?",
                        (number,),
                    )
                )
        return found

    def unsettled(self) -> list[tuple[Fingerprint, str]]:
        """What had been changed a moment before it was read."""
        found = self._db.execute(
            "SELECT fpr, name FROM post JOIN author ON author.id = post.author WHERE stamp = x''"
        )
        return [(Fingerprint(raw), name) for raw, name in found]

    def notes(self) -> Iterator[bytes]:
        """The keys of all notes that are needed."""
        for (note,) in self._db.execute("SELECT note FROM post WHERE note != x''"):
            yield note

    def wrong(self) -> dict[str, int]:
        """How many files that are not hidden do not hold, by the class of the error."""
        return dict(
            self._db.execute(
                "SELECT error, count(*) FROM post WHERE error != '' AND hidden = 0 GROUP BY error"
            )
        )

    # --- deletes -------------------------------------------------------------------------------------------

    def deletes(self, author: Fingerprint) -> list[Delete]:
        """What the author's DeleteActions say."""
        found = self._db.execute(
            "SELECT name, said FROM deletion JOIN post ON post.id = deletion.post WHERE deletion.author = ?",
            (self._number(author),),
        )
        return [load_delete(author, name, json.loads(said)) for name, said in found]

    def mark_deleted(self, author: Fingerprint, deleted: Collection[str]) -> None:
        """Exactly the posts of these names are deleted."""
        number = self._number(author)
        self._db.execute("UPDATE post SET deleted = 0 WHERE author = ? AND deleted", (number,))
        self._db.executemany(
            "UPDATE post SET deleted = 1 WHERE author = ? AND name = ?",
            [(number, name) for name in deleted],
        )

    # --- questions -----------------------------------------------------------------------------------------

    def newest(self, choice: Choice) -> Iterator[Row]:
        """Posts to show, newest signature first; some at a time, so it may be changed meanwhile."""
        clauses, values = self._clauses(choice)
        after: Row | None = None
        while True:
            more = "" if after is None else _BEYOND
            place = () if after is None else (after.time, after.time, after.author.raw, after.name)
            found = self._db.execute(
                f"SELECT {_COLUMNS} FROM post JOIN author ON author.id = post.author"  # noqa: S608 - constants
                f" WHERE error = '' AND apart = '' AND hidden = 0{clauses}{more}"
                " ORDER BY time DESC, fpr, name LIMIT ?",
                (*values, *place, _CHUNK),
            ).fetchall()
            for one in found:
                after = _row(one)
                yield after
            if len(found) < _CHUNK:
                return

    def contents(self) -> list[tuple[bytes, str, bytes]]:
        """(author, name, sha256) of each post to show, in no order."""
        return self._db.execute(
            "SELECT fpr, name, sha256 FROM post JOIN author ON author.id = post.author"
            " WHERE error = '' AND apart = '' AND hidden = 0 AND deleted = 0"
        ).fetchall()

    def pointing_at(self, address: Address) -> list[Row]:
        """Whatever answers a post or acts upon it, newest first; hidden too."""
        found = self._db.execute(
            f"SELECT DISTINCT {_COLUMNS} FROM link JOIN post ON post.id = link.post"  # noqa: S608
            " JOIN author ON author.id = post.author WHERE target = ? AND deleted = 0"
            " ORDER BY time DESC, fpr, name",
            (_mark(address),),
        )
        return [_row(one) for one in found]

    def acts_upon(self, address: Address) -> list[Act]:
        """All that answers a post or acts upon it, in few words, oldest first; deleted not."""
        found = self._db.execute(
            "SELECT act, fpr, time, hidden FROM link JOIN post ON post.id = link.post"
            " JOIN author ON author.id = post.author WHERE target = ? AND deleted = 0 ORDER BY time, fpr",
            (_mark(address),),
        )
        return [Act(act, Fingerprint(raw), time, bool(hidden)) for act, raw, time, hidden in found]

    def _clauses(self, choice: Choice) -> tuple[str, list[object]]:
        clauses: list[str] = []
        values: list[object] = []
        if choice.authors is not None:
            clauses.append(f"fpr IN ({','.join('?' * len(choice.authors))})")
            values += sorted(one.raw for one in choice.authors)
        if choice.since is not None:
            clauses.append("time >= ?")
            values.append(choice.since)
        if choice.until is not None:
            clauses.append("time < ?")
            values.append(choice.until)
        if choice.types:
            clauses.append(f"type IN ({','.join('?' * len(choice.types))})")
            values += sorted(choice.types)
        if choice.tag:
            clauses.append("post.id IN (SELECT post FROM tag WHERE tag = ?)")
            values.append(fold_tag(choice.tag))
        if choice.acts is not None:
            clauses.append(f"act IN ({','.join('?' * len(choice.acts))})")
            values += sorted(choice.acts)
        if not choice.deleted:
            clauses.append("deleted = 0")
        return "".join(f" AND {clause}" for clause in clauses), values

    # --- inside --------------------------------------------------------------------------------------------

    def _number(self, author: Fingerprint) -> int:
        row = self._db.execute("SELECT id FROM author WHERE fpr = ?", (author.raw,)).fetchone()
        if row is not None:
            return int(row[0])
        return int(self._db.execute("INSERT INTO author (fpr) VALUES (?)", (author.raw,)).lastrowid or 0)

    def _owners(self, said: bytes) -> int:
        self._db.execute("INSERT OR IGNORE INTO owners (said) VALUES (?)", (said,))
        return int(self._db.execute("SELECT id FROM owners WHERE said = ?", (said,)).fetchone()[0])

    def _drop(self, number: int) -> None:
        for table in ("link", "tag", "deletion"):
            self._db.execute(f"DELETE FROM {table} WHERE post = ?", (number,))  # noqa: S608 - a constant
        self._db.execute("DELETE FROM post WHERE id = ?", (number,))


_BEYOND: Final = " AND time <= ? AND (time < ? OR (fpr, name) > (?, ?))"
_COLUMNS: Final = (
    "fpr, name, sha256, stamp, hidden, deleted, time, note,"
    " (SELECT said FROM owners WHERE owners.id = post.owners)"
)


def _row(found: tuple[bytes, str, bytes, bytes, int, int, int, bytes, bytes | None]) -> Row:
    raw, name, sha256, stamp, hidden, deleted, time, note, owners = found
    return Row(Fingerprint(raw), name, sha256, stamp, bool(hidden), bool(deleted), time, note, owners or b"")


def _mark(address: Address) -> bytes:
    """What stands for an address: a name may be long."""
    said = f"{address.author.hex}/{address.name or ''}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(said, digest_size=12).digest()
