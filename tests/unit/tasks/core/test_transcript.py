"""What a person reads of a build, from lines that buildx printed."""

import base64
import json

import pytest

from tasks.core.transcript import FailedStep, Transcript


def step(name: str, digest: str = "d1", **more: object) -> str:
    return json.dumps({"vertexes": [{"digest": digest, "name": name, **more}]})


def output(text: str, digest: str = "d1") -> str:
    data = base64.b64encode(text.encode()).decode()
    return json.dumps({"logs": [{"vertex": digest, "stream": 1, "data": data}]})


def told(*lines: str) -> tuple[list[str], Transcript]:
    log: list[str] = []
    transcript = Transcript(log.append)
    for line in lines:
        transcript.feed(line)
    transcript.end()
    return log, transcript


def test_steps_and_their_output_are_told_once_and_in_order() -> None:
    log, transcript = told(
        step("[internal] load build definition", "d0", started="t"),
        step("[lint 1/2] COPY . .", "d1"),
        step("[lint 1/2] COPY . .", "d1", started="t", completed="t", cached=True),
        step("[lint 2/2] RUN lint", "d2", started="t"),
        output("one\ntw", "d2"),
        output("o\nthree", "d2"),
        step("[lint 2/2] RUN lint", "d2", started="t", completed="t"),
    )
    assert log == ["[lint 1/2] COPY . . (unchanged)", "[lint 2/2] RUN lint", "one", "two", "three"]
    assert transcript.commands == 1


def test_colours_and_redrawn_lines_are_left_out() -> None:
    log, _ = told(output("\x1b[31mbad\x1b[0m\r\n10 %\r20 %\r100 %\n"))
    assert log == ["bad", "100 %"]


def test_the_first_step_that_failed_is_the_reason_not_those_cancelled_after_it() -> None:
    _, transcript = told(
        output("boom\n", "d2"),
        step("[test 2/2] RUN test", "d2", error="exit code: 1"),
        step("[build 2/2] RUN build", "d3", error="context canceled"),
    )
    assert transcript.failed == FailedStep("d2", "[test 2/2] RUN test", "exit code: 1")
    assert transcript.tail(transcript.failed) == ("boom",)


def test_what_buildx_says_outside_its_protocol_is_kept() -> None:
    log, transcript = told("", "ERROR: no such target", "{half", "[]")
    assert list(transcript.complaints) == ["ERROR: no such target", "{half", "[]"]
    assert log == []


@pytest.mark.parametrize(
    ("name", "is_run", "is_base_image"),
    [
        ("[lint 2/2] RUN npm run lint", True, False),
        ("[2/2] RUN npm run lint", True, False),
        ("[lint 1/2] COPY RUN .", False, False),
        ("[base 1/2] FROM docker.io/library/node:22", False, True),
        ("[internal] load metadata for docker.io/library/node:22", False, True),
        ("[internal] load build context", False, False),
        ("exporting to oci image format", False, False),
    ],
)
def test_a_failed_step_is_of_a_kind(name: str, is_run: bool, is_base_image: bool) -> None:  # noqa: FBT001
    failed = FailedStep("d", name, "")
    assert (failed.is_run, failed.is_base_image) == (is_run, is_base_image)
