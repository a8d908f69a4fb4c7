from pathlib import Path

import pytest

from tasks.core.errors import ConfigError
from tasks.core.unreviewed import alone, require_known_frontend


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch\n",
        "# syntax=docker/dockerfile:1\nFROM scratch\n",
        "# syntax = docker.io/docker/dockerfile:1.7.1\nFROM scratch\n",
        "FROM scratch\nRUN check-syntax --strict\n",
    ],
)
def test_buildkits_own_frontend_may_read_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "Dockerfile").write_text(text)
    require_known_frontend(tmp_path / "Dockerfile", "shop/api")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# syntax=evil/frontend\nFROM x\n", id="the usual way"),
        pytest.param("#SYNTAX  =  evil\nFROM x\n", id="in capitals"),
        pytest.param("\ufeff# syntax=evil\n", id="behind a byte order mark"),
        pytest.param("#!/usr/bin/env x\n# syntax=evil\n", id="behind a shebang"),
        pytest.param("# escape=`\n# syntax=evil\n", id="behind another directive"),
        pytest.param("// syntax=evil\n", id="as in C"),
        pytest.param('{"a": 1, "syntax": "evil"}', id="as JSON"),
        pytest.param('#!/x\n {"syntax": "evil"}', id="as JSON behind a shebang"),
        pytest.param("# syntax=docker/dockerfile:1.0-experimental\n", id="old: knows no names"),
        pytest.param("# syntax=docker/dockerfile@sha256:aaaa\n", id="of an unknown age"),
        pytest.param("# syntax=docker/dockerfile:1@sha256:aaaa\n", id="likewise, with a tag"),
        pytest.param("# syntax=docker/dockerfile:1.3\n", id="before 1.4"),
    ],
)
def test_another_frontend_may_not(tmp_path: Path, text: str) -> None:
    (tmp_path / "Dockerfile").write_text(text)
    with pytest.raises(ConfigError, match="names the frontend"):
        require_known_frontend(tmp_path / "Dockerfile", "shop/api")


def test_a_program_that_is_alone_finds_no_other_and_no_network() -> None:
    program, variables = alone("git")
    assert Path(program).is_absolute()
    assert variables["PATH"] == ""
    assert variables["HTTPS_PROXY"] == "http://127.0.0.1:9"
