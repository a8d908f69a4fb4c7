from pathlib import Path

from infra.lab.durations import expected, remember


def test_what_was_measured_replaces_the_guess(tmp_path: Path) -> None:
    assert expected(tmp_path, "make etcd", 60.0) == 60.0
    remember(tmp_path, "make etcd", 41.237)
    remember(tmp_path, "etcd", 0.5)
    assert expected(tmp_path, "make etcd", 60.0) == 41.24


def test_a_broken_note_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "durations.json").write_text("{")
    assert expected(tmp_path, "etcd", 2.0) == 2.0
