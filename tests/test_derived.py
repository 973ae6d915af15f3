"""Derived state survives everything but its own deletion, and that costs nothing but time."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mau.derived import Database

SCHEMA = "CREATE TABLE thing (word TEXT PRIMARY KEY)"


def open_database(path: Path, version: int = 1) -> Database:
    return Database(path, SCHEMA, version)


def put(database: Database, word: str) -> None:
    database.run(lambda connection: connection.execute("INSERT OR REPLACE INTO thing VALUES (?)", (word,)))


def words(database: Database) -> list[str]:
    return database.run(
        lambda connection: [row[0] for row in connection.execute("SELECT word FROM thing ORDER BY word")]
    )


def test_what_was_put_is_there_for_another(tmp_path: Path) -> None:
    first, second = open_database(tmp_path / "x.db"), open_database(tmp_path / "x.db")
    put(first, "one")
    assert words(second) == ["one"]
    put(second, "two")
    assert words(first) == ["one", "two"]
    first.close()
    second.close()


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    database = open_database(tmp_path / "x.db")
    put(database, "one")
    assert stat.S_IMODE((tmp_path / "x.db").stat().st_mode) == 0o600
    database.close()


@pytest.mark.parametrize("damage", [b"", b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "x.db"
    database = open_database(path)
    put(database, "one")
    database.close()
    path.write_bytes(damage)
    put(database, "two")
    assert words(database) == ["two"]
    database.close()


def test_damage_in_the_middle_is_found_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database = open_database(path)
    for number in range(500):
        put(database, f"{number:0100}")
    database.close()
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    path.write_bytes(content)
    for number in range(500):
        put(database, f"{number:0100}")
    assert len(words(database)) == 500
    database.close()


def test_a_missing_table_is_damage(tmp_path: Path) -> None:
    database = open_database(tmp_path / "x.db")
    put(database, "one")
    database.run(lambda connection: connection.execute("DROP TABLE thing"))
    assert words(database) == []
    put(database, "two")
    assert words(database) == ["two"]
    database.close()


def test_a_deleted_file_is_begun_anew_while_it_is_open(tmp_path: Path) -> None:
    database = open_database(tmp_path / "x.db")
    put(database, "one")
    (tmp_path / "x.db").unlink()
    assert words(database) == []
    put(database, "two")
    other = open_database(tmp_path / "x.db")
    assert words(other) == ["two"]
    other.close()
    database.close()


def test_another_version_of_the_schema_is_begun_anew(tmp_path: Path) -> None:
    old = open_database(tmp_path / "x.db")
    put(old, "one")
    old.close()
    new = open_database(tmp_path / "x.db", 2)
    assert words(new) == []
    new.close()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"precious")
    (tmp_path / "x.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        put(open_database(tmp_path / "x.db"), "one")
    assert (tmp_path / "elsewhere").read_bytes() == b"precious"


def test_an_error_undoes_its_transaction(tmp_path: Path) -> None:
    database = open_database(tmp_path / "x.db")

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO thing VALUES ('one')")
        raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed"):
        database.run(work)
    assert words(database) == []
    database.close()


_WRITER = """
import sys
from pathlib import Path
from mau.derived import Database
database = Database(Path(sys.argv[1]), "CREATE TABLE thing (word TEXT PRIMARY KEY)", 1)
for number in range(100):
    word = f"{sys.argv[2]}-{number}"
    database.run(lambda connection: connection.execute("INSERT INTO thing VALUES (?)", (word,)))
"""


@pytest.mark.parametrize("damaged", [False, True])
def test_several_processes_write_at_once(tmp_path: Path, damaged: bool) -> None:
    path = tmp_path / "x.db"
    if damaged:
        path.write_bytes(b"garbage" * 1000)
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), f"{one}"]) for one in range(3)]
    assert [writer.wait(50) for writer in writers] == [0, 0, 0]
    database = open_database(path)
    assert len(words(database)) == 300
    database.close()


def test_a_thread_of_its_own_may_have_a_database_of_its_own(tmp_path: Path) -> None:
    def work() -> None:
        database = open_database(tmp_path / "x.db")
        put(database, "thread")
        database.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    database = open_database(tmp_path / "x.db")
    assert words(database) == ["thread"]
    database.close()
