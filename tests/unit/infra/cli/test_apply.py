from contextlib import closing
from pathlib import Path

import pytest

from infra.cli.apply import forget, keep, name_in
from infra.webhook.settings import settings
from infra.webhook.store import Store
from tasks.core.errors import ConfigError

ROOT = Path(__file__).parents[4]
MYFIN = ROOT / "examples" / "myfin"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    monkeypatch.setenv("SLIPWAY_INSTANCE", "unit-apply")


def known() -> list[tuple[str, str]]:
    with closing(Store(settings().store)) as store:
        return [(each.name, each.application.application) for each in store.repositories()]


def test_a_repository_that_is_forgotten_is_known_no_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    keep(MYFIN, "https://git.example/Team/MyFin.git")
    assert known() == [("team/myfin", "myfin")]
    forget("Team/MyFin")
    assert known() == []
    assert "Prefect's server is not up" in capsys.readouterr().out


def test_a_folder_stands_for_its_repository(tmp_path: Path) -> None:
    folder = tmp_path / "team" / "shop"
    folder.mkdir(parents=True)
    keep(MYFIN, str(folder))
    forget(str(folder))
    assert known() == []


def test_forgetting_what_was_never_registered_says_what_is() -> None:
    keep(MYFIN, "https://git.example/team/myfin.git")
    with pytest.raises(ConfigError, match=r"team/other: is not registered\. .*team/myfin"):
        forget("team/other")
    assert known() == [("team/myfin", "myfin")]


def test_an_address_names_its_repository() -> None:
    assert name_in("git@git.example:team/shop.git") == "team/shop"
