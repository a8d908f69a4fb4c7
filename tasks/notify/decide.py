"""What news follow from how stages and rollouts ended."""

from collections.abc import Sequence
from dataclasses import replace

from tasks.core.application import Component
from tasks.core.errors import GateClosed, SlipwayError, StageFailed
from tasks.core.markdown import fenced, page, plain
from tasks.core.model import CheckResult, Image, ReleasedImage, ScanResult
from tasks.core.record import Record, RolloutState
from tasks.notify.model import Commit, End, News, StageNews, State

__all__ = ["broken_off", "end_of", "reused", "stage_news", "stages_of", "state_of"]

MEGABYTE = 1_000_000
MOST_LINES = 40
"""Of a component's findings; the rest stands in the run."""

_STATES = {
    RolloutState.STARTED: State.WAITING,
    RolloutState.SUCCEEDED: State.SUCCESS,
    RolloutState.RESTORED: State.FAILURE,
    RolloutState.FAILED: State.FAILURE,
    RolloutState.SUPERSEDED: State.INACTIVE,
}


def stages_of(component: Component) -> tuple[str, ...]:
    """Return the stages that a component goes through, in their order."""
    checks = {"lint": component.lint, "test": component.test}
    return (*(name for name, told in checks.items() if told), "build", "smoke", "scan", "push")


def end_of(component: str, outcome: object) -> End:
    """Say how a stage ended for a component.

    Args:
        component: its name.
        outcome: what the stage returned or raised; None where it was not reached.
    """
    match outcome:
        case None:
            return End(component, State.ERROR, "not reached")
        case StageFailed():
            sentence, *lines = outcome.what.splitlines() or ("",)
            return End(component, State.FAILURE, sentence, tuple(lines))
        case SlipwayError():  # what follows its first line is about machines, for the run's log
            return End(component, State.ERROR, outcome.what.partition("\n")[0])
        case Exception():
            return End(component, State.ERROR, f"a fault, {type(outcome).__name__}")
        case _:
            findings = outcome.summary if isinstance(outcome, ScanResult) else ()
            return End(component, State.SUCCESS, _good(outcome), findings)


def _good(result: object) -> str:
    match result:
        case CheckResult(sentence=sentence):
            return sentence
        case ScanResult(verdict=verdict):
            return verdict.reason
        case Image(size_bytes=size):
            return f"built, {size / MEGABYTE:.0f} MB"
        case ReleasedImage(digest=digest):
            return f"pushed as {digest[:19]}"
        case _:
            return "passed"


def reused(component: str) -> End:
    """Say that a component's content has passed a stage before."""
    return End(component, State.SUCCESS, "unchanged, passed before")


def stage_news(commit: Commit, stage: str, ends: Sequence[End]) -> StageNews:
    """Put together how a stage ended for all components; the worst stands first."""
    order = (State.FAILURE, State.ERROR, State.SUCCESS)
    sorted_ends = sorted(ends, key=lambda end: order.index(end.state))
    return StageNews(
        commit,
        stage,
        sorted_ends[0].state,
        "; ".join(f"{end.component}: {end.sentence}" for end in sorted_ends),
        page(*(_findings(end) for end in sorted_ends if end.lines)).strip(),
    )


def _findings(end: End) -> str:
    shown = end.lines[:MOST_LINES]
    more = len(end.lines) - len(shown)
    rest = (f"… and {more} more lines in the run",) if more else ()
    return page(f"**{plain(end.component)}**", fenced("\n".join((*shown, *rest))))


def state_of(record: Record) -> State:
    """Say how a rollout is: one that has not ended waits for people at a gate."""
    return _STATES[record.state]


def broken_off(news: News, error: Exception) -> News:
    """Say that what people wait for will not come, because the run ended before it."""
    said_no = isinstance(error, (StageFailed, GateClosed))
    what = error.what if isinstance(error, SlipwayError) else f"a fault, {type(error).__name__}"
    state = State.FAILURE if said_no else State.ERROR
    return replace(news, state=state, sentence=what.partition("\n")[0], page="")
