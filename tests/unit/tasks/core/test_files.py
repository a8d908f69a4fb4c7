import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.core.files import write_whole


def test_two_writers_of_one_file_leave_one_of_their_contents_whole(tmp_path: Path) -> None:
    file = tmp_path / "note.json"
    contents = [bytes([number]) * 100_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_whole(file, content), contents))
    assert file.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "secret.json"
    write_whole(file, b"{}")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_failed_write_leaves_no_draft(tmp_path: Path) -> None:
    taken = tmp_path / "folder"
    taken.mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(taken, b"{}")
    assert list(tmp_path.iterdir()) == [taken]
