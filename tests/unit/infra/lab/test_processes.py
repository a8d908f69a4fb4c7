import os
import signal
from pathlib import Path

from infra.lab.processes import Recorded, alive, kill, read


def this_process() -> Recorded:
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return Recorded(os.getpid(), int(fields[19]), "x")


def test_a_process_is_alive_under_its_number_and_start() -> None:
    assert alive(this_process())


def test_a_number_that_was_given_to_another_process_is_not_taken_for_it() -> None:
    me = this_process()
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
