"""Events and registered repositories, in SQLite: what was committed survives kill -9."""

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.webhook.columns import COLUMNS, described_in, kept_of, repository_of, row_of
from infra.webhook.model import Event, Kept, Look, Outcome, Push, Repository, State, WorkflowEnded
from infra.webhook.rows import Row, flat, portions, values
from tasks.core.errors import ConfigError

__all__ = ["Store"]

SCHEMA = (
    """
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        received_at TEXT NOT NULL,
        source TEXT NOT NULL,
        name TEXT NOT NULL,
        delivery TEXT NOT NULL,
        content TEXT NOT NULL,
        subject TEXT NOT NULL,
        ref TEXT NOT NULL,
        facts TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'stored',
        reason TEXT NOT NULL DEFAULT '',
        run TEXT NOT NULL DEFAULT '',
        UNIQUE (source, delivery),
        UNIQUE (source, content)
    ) STRICT;
    CREATE INDEX events_waiting ON events (id) WHERE state = 'stored';
    CREATE TABLE repositories (
        name TEXT PRIMARY KEY,
        address TEXT NOT NULL,
        application TEXT NOT NULL UNIQUE,
        described TEXT NOT NULL
    ) STRICT;
    """,
    """
    CREATE INDEX events_subject ON events (subject COLLATE NOCASE, id);
    CREATE TABLE looks (
        name TEXT PRIMARY KEY,
        looked_at TEXT NOT NULL,
        heads TEXT NOT NULL,
        hooks TEXT NOT NULL
    ) STRICT;
    """,
)
"""Each entry leads from one version of the store to the next."""
BUSY_SECONDS = 10.0
MOST_ALIKE = 50
RUN_AGAIN = timedelta(days=31)
"""GitHub runs a workflow again for 30 days."""

_ALIKE = "source = 'github' AND name = ? AND subject = ? COLLATE NOCASE AND ref = ? AND id < ?"


@dataclass(slots=True)
class Store:
    """One file; threads of this process take turns, other processes wait for each other."""

    path: Path
    _connection: sqlite3.Connection = field(init=False, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        """Open the file, or make it.

        Raises:
            ConfigError: a newer Slipway has written it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self.path.chmod(0o600)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        with self._transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(SCHEMA):
                raise ConfigError(
                    f"has version {version}, this Slipway knows {len(SCHEMA)}",
                    where=str(self.path),
                    next_step="use the Slipway that has written it",
                )
            for statements in SCHEMA[version:]:
                for statement in filter(str.strip, statements.split(";")):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={len(SCHEMA)}")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def add(self, events: Sequence[Event], at: datetime) -> tuple[bool, ...]:
        """Commit events in one transaction and say of each whether it is new."""
        with self._transaction() as connection:
            return _add(connection, events, at)

    def waiting(self, most: int, without: Collection[int] = ()) -> tuple[Kept, ...]:
        """Return events that nothing has become of yet, the oldest first.

        Args:
            most: how many.
            without: ids of events that are left out.
        """
        query = (
            f"{COLUMNS} FROM events WHERE state = 'stored'"  # noqa: S608 columns of ours
            " AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY id"
        )
        return self._events(query, most, json.dumps(list(without)))

    def newest(self, most: int) -> tuple[Kept, ...]:
        """Return the newest events, the newest first."""
        return self._events(f"{COLUMNS} FROM events ORDER BY id DESC", most)

    def outcome(self, delivery: str) -> Outcome | None:
        """Return what became of a delivery of GitHub's, None where it never came."""
        rows = self._read(
            "SELECT id, state, reason, run FROM events WHERE source = 'github' AND delivery = ?",
            delivery,
        )
        return next((Outcome(row[0], State(row[1]), *row[2:]) for row in rows), None)

    def recent(self, subject: str, since: datetime) -> tuple[Kept, ...]:
        """Return what GitHub has sent of a repository since an instant, the newest first."""
        rows = self._read(
            f"SELECT {COLUMNS} FROM events WHERE source = 'github'"  # noqa: S608 columns of ours
            " AND subject = ? COLLATE NOCASE AND received_at >= ? ORDER BY id DESC",
            subject,
            since.astimezone(UTC).isoformat(),
        )
        return tuple(map(kept_of, rows))

    def pushes(self, kept: Kept, push: Push) -> tuple[Kept, ...]:
        """Return those of the last pushes before one, to its ref, that are of its commit or later.

        Later is what GitHub says was pushed later.
        """
        at = push.pushed_at.timestamp() if push.pushed_at else None
        rows = self._read(
            f"SELECT {COLUMNS} FROM (SELECT * FROM events WHERE {_ALIKE}"  # noqa: S608 columns of ours
            " ORDER BY id DESC LIMIT ?) WHERE json_extract(facts, '$.commit') IS ?"
            " OR unixepoch(json_extract(facts, '$.pushed_at')) > ? ORDER BY id DESC",
            *(*_alike(kept), MOST_ALIKE, push.commit, at),
        )
        return tuple(map(kept_of, rows))

    def later_runs(self, kept: Kept, ended: WorkflowEnded) -> tuple[Kept, ...]:
        """Return the last successes of a workflow that came before one on its branch and are later.

        Later is what GitHub counts so.
        """
        since = kept.received_at.astimezone(UTC) - RUN_AGAIN
        rows = self._read(
            f"SELECT {COLUMNS} FROM events WHERE {_ALIKE}"  # noqa: S608 columns of ours
            " AND json_extract(facts, '$.file') = ? AND json_extract(facts, '$.number') > ?"
            " AND json_extract(facts, '$.conclusion') = 'success'"
            " AND NOT json_extract(facts, '$.fork') AND received_at >= ? ORDER BY id DESC LIMIT ?",
            *(*_alike(kept), ended.file, ended.number, since.isoformat(), MOST_ALIKE),
        )
        return tuple(map(kept_of, rows))

    def known(self, deliveries: Iterable[str]) -> frozenset[str]:
        """Return those of GitHub's deliveries that have come."""
        rows = self._read(
            "SELECT delivery FROM events WHERE source = 'github'"
            " AND delivery IN (SELECT value FROM json_each(?))",
            json.dumps(list(deliveries)),
        )
        return frozenset(row[0] for row in rows)

    def look(self, name: str) -> Look | None:
        """Return what was seen at the last look, None where nobody has looked yet."""
        query = "SELECT looked_at, heads, hooks FROM looks WHERE name = ?"
        for looked_at, heads, hooks in self._read(query, name.casefold()):
            at = datetime.fromisoformat(looked_at)
            return Look(at, json.loads(heads), tuple(json.loads(hooks)))
        return None

    def keep_look(self, name: str, look: Look, events: Sequence[Event] = ()) -> None:
        """Keep what was seen, together with the events that were missed."""
        at = look.at.astimezone(UTC).isoformat()
        row = (name.casefold(), at, json.dumps(look.heads), json.dumps(look.hooks))
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?)", row)
            _add(connection, events, look.at)

    def lag(self) -> tuple[int, datetime | None]:
        """Return how many events wait, and since when the oldest does."""
        count, oldest = self._read(
            "SELECT count(*), min(received_at) FROM events WHERE state = 'stored'"
        )[0]
        return count, datetime.fromisoformat(oldest) if oldest else None

    def settle(self, outcomes: Iterable[Outcome]) -> None:
        """Commit what became of events."""
        rows = [(each.id, each.state.value, each.reason, each.run) for each in outcomes]
        with self._transaction() as connection:
            for some in portions(rows):
                connection.execute(
                    "UPDATE events SET state = column2, reason = column3, run = column4"  # noqa: S608 places alone
                    f" FROM ({values(some)}) WHERE id = column1",
                    flat(some),
                )

    def register(self, repository: Repository) -> None:
        """Keep a repository, in the place of what was known of it or of its application."""
        application = repository.application.application
        described = described_in(repository)
        row = (repository.name.casefold(), repository.address, application, described)
        before = self.repository(repository.name)
        with self._transaction() as connection:
            if before is None or before.application.triggers != repository.application.triggers:
                # what is there now is not what other rules have missed
                connection.execute("DELETE FROM looks WHERE name = ?", row[:1])
            connection.execute("INSERT OR REPLACE INTO repositories VALUES (?, ?, ?, ?)", row)

    def forget(self, name: str) -> bool:
        """Know a repository no more, by `owner/name`; say whether it was known."""
        with self._transaction() as connection:
            asked = "DELETE FROM repositories WHERE name = ?"
            return connection.execute(asked, (name.casefold(),)).rowcount == 1

    def repositories(self) -> tuple[Repository, ...]:
        """Return every repository that is registered, by name."""
        rows = self._read("SELECT name, address, described FROM repositories ORDER BY name")
        return tuple(map(repository_of, rows))

    def repository(self, name: str) -> Repository | None:
        """Return a repository by `owner/name`, None where nobody registered it."""
        return self._repository("name", name.casefold())

    def repository_of(self, application: str) -> Repository | None:
        """Return the repository of an application, None where nobody registered it."""
        return self._repository("application", application)

    def _repository(self, column: str, value: str) -> Repository | None:
        rows = self._read(
            f"SELECT name, address, described FROM repositories WHERE {column} = ?",  # noqa: S608 a name of ours
            value,
        )
        return next(map(repository_of, rows), None)

    def _events(self, query: str, most: int, *values: object) -> tuple[Kept, ...]:
        return tuple(kept_of(row) for row in self._read(f"SELECT {query} LIMIT ?", *values, most))

    def _read(self, query: str, *values: object) -> list[Any]:
        with self._turn:
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _add(connection: sqlite3.Connection, events: Sequence[Event], at: datetime) -> tuple[bool, ...]:
    rows = [row_of(event, at) for event in events]
    return tuple(is_new for some in portions(rows) for is_new in _insert(connection, some))


def _insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> list[bool]:
    count = connection.execute(
        "INSERT INTO events (received_at, source, name, delivery, content, subject, ref, facts)"
        f" {values(rows)} ON CONFLICT DO NOTHING",
        flat(rows),
    ).rowcount
    if count == len(rows):
        return [True] * count
    newest = "SELECT source, delivery, content FROM events ORDER BY id DESC LIMIT ?"
    added = Counter(connection.execute(newest, (count,)))
    came = [(source, delivery, content) for _, source, _, delivery, content, *_ in rows]
    return [_take(added, key) for key in came]


def _take(added: Counter[Row], key: Row) -> bool:
    """Say whether something was added, the first time that it came."""
    added[key] -= 1
    return added[key] == 0


def _alike(kept: Kept) -> tuple[object, ...]:
    """Return what tells of which kind, repository and ref an event is, and its place."""
    return (kept.event.name, kept.event.subject, kept.event.ref, kept.id)
