import os
import signal
from pathlib import Path

import pytest

from infra.processes import Recorded, alive, kill, read, write


@pytest.fixture
def me(tmp_path: Path) -> Recorded:
    """This process, as somebody who started it has written it down."""
    write(tmp_path / "run" / "me.pid", os.getpid())
    recorded = read(tmp_path / "run" / "me.pid")
    assert recorded is not None
    return recorded


def test_a_process_is_alive_under_its_number_and_start(me: Recorded) -> None:
    assert alive(me)
    assert me.pid == os.getpid()


def test_a_process_that_is_gone_already_is_not_written_down(tmp_path: Path) -> None:
    write(tmp_path / "gone.pid", 2**22)
    assert read(tmp_path / "gone.pid") is None


def test_a_number_that_was_given_to_another_process_is_not_taken_for_it(me: Recorded) -> None:
    stranger = Recorded(me.pid, me.started - 1, me.fingerprint)
    assert not alive(stranger)
    kill(stranger, signal.SIGKILL)  # would end this test run


def test_a_record_that_is_not_whole_is_none(tmp_path: Path) -> None:
    record = tmp_path / "etcd.pid"
    assert read(record) is None
    record.write_text("12 ")
    assert read(record) is None
    record.write_text("12 345 abc\n")
    assert read(record) == Recorded(12, 345, "abc")
