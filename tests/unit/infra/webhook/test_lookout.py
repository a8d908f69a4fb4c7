import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from infra.webhook.lookout import Lookout, look, pause
from infra.webhook.metrics import Metrics
from infra.webhook.reconcile import Finding, Kind
from infra.webhook.store import Store
from tasks.core.clock import FakeClock
from tasks.core.errors import Unavailable

NOW = FakeClock().now()


@dataclass
class Looks:
    """Looks that fail at first."""

    made: int = 0
    begun: threading.Event = field(default_factory=threading.Event)

    def look(self, _store: Store, _now: datetime) -> tuple[Finding, ...]:
        self.made += 1
        self.begun.set()
        if self.made == 1:
            raise Unavailable("is away")
        return (Finding(Kind.FOUND, "acme/shop", "refs/heads/main"),)


def test_it_looks_at_once_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    store, looks, woken = Store(tmp_path / "events.sqlite"), Looks(made=1), threading.Event()
    lookout = Lookout(store, Metrics(), woken.set, looks.look)
    lookout.begin()
    assert woken.wait(20)
    lookout.end()
    assert looks.made == 2
    store.close()


def test_what_it_comes_upon_is_counted(tmp_path: Path) -> None:
    store, looks, metrics = Store(tmp_path / "events.sqlite"), Looks(made=1), Metrics()
    Lookout(store, metrics, lambda: None, looks.look).look()
    store.close()
    text = metrics.text((0, None), NOW).decode()
    assert 'slipway_webhook_reconciled_total{what="found"} 1.0' in text


def test_a_look_that_fails_is_counted_and_does_not_end_the_receiver(tmp_path: Path) -> None:
    store, looks, metrics = Store(tmp_path / "events.sqlite"), Looks(), Metrics()
    lookout = Lookout(store, metrics, lambda: None, looks.look)
    lookout.begin()
    assert looks.begun.wait(20)
    lookout.end()
    store.close()
    text = metrics.text((0, None), NOW).decode()
    assert 'slipway_webhook_reconciled_total{what="failed"} 1.0' in text


def test_nobody_looks_before_somebody_has_logged_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    store = Store(tmp_path / "events.sqlite")
    assert look(store, NOW) is None
    store.close()


def test_looks_are_about_five_minutes_apart() -> None:
    assert [pause(chance) for chance in (0, 0.5, 1)] == [
        timedelta(minutes=minutes) for minutes in (4, 5, 6)
    ]
