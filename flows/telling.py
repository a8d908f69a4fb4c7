"""Letting people outside know how far a run is, without waiting for them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from prefect.exceptions import Abort, Pause
from prefect.futures import PrefectFuture, as_completed, wait
from prefect.runtime import flow_run
from prefect.utilities.urls import url_for

from tasks.core.markdown import public_address
from tasks.core.model import Release, Source
from tasks.core.notices import SlackRooms
from tasks.core.record import Plan, Record
from tasks.notify.decide import broken_off, end_of, reused, stage_news, stages_of, state_of
from tasks.notify.effects import hearing
from tasks.notify.model import RELEASE, Commit, EnvironmentNews, News, StageNews, State, Told
from tasks.notify.task import send
from tasks.rollout.model import By, Place
from tasks.rollout.render import count_changes, plan_page

__all__ = [
    "Futures",
    "await_stages",
    "commit_of_run",
    "tell",
    "tell_acting",
    "tell_begun",
    "tell_in",
    "tell_plan",
    "tell_record",
    "tell_release",
    "telling",
]

Futures = Mapping[str, Mapping[str, PrefectFuture[Any]]]
"""By component, then by stage."""


@dataclass(slots=True)
class _Board:
    """What a run has told.

    Attributes:
        last: the newest sending on each channel, which the next one comes after.
        open: news of what has begun and not ended, by their subject.
        rooms: where Slack is told; None in a flow that sees no slipway.yaml.
        commit: that the run is about, once something was told of it.
        stages: that a commit goes through here; those of a delivery where None.
    """

    last: dict[str, PrefectFuture[Told]] = field(default_factory=dict)
    open: dict[str, News] = field(default_factory=dict)
    rooms: tuple[str, str] | None = None
    commit: Commit | None = None
    stages: tuple[str, ...] | None = None

    def put(self, *news: News) -> None:
        for each in news:
            self.open.pop(each.subject, None)
            if each.state.is_open:
                self.open[each.subject] = each
        for channel in hearing(news[0].commit):
            before: Any = self.last.get(channel)  # Prefect hands over what it comes to
            self.last[channel] = send.submit(channel, news, before)


_board: ContextVar[_Board | None] = ContextVar("board", default=None)


@contextmanager
def telling() -> Iterator[None]:
    """Let a flow tell people; to be put above its function.

    What has begun and not ended when the flow fails is told as broken off. News under way are
    waited for, those of a run that is suspended or has cleared up too: no process would be left to
    send them.
    """
    board = _Board()
    token = _board.set(board)
    try:
        yield
    except (Abort, Pause):
        wait(list(board.last.values()))
        raise
    except Exception as error:
        if board.open:
            board.put(*(broken_off(each, error) for each in tuple(board.open.values())))
        wait(list(board.last.values()))
        raise
    else:
        wait(list(board.last.values()))
    finally:
        _board.reset(token)


def tell(*news: News) -> None:
    """Tell every channel that hears of it, behind what it was told before.

    Nothing happens in a flow that tells nobody (see `telling`), nor where no channel is set up.
    """
    board = _board.get()
    if board is not None:
        board.put(*news)


def tell_in(named: SlackRooms | None, source: Source | None = None) -> None:
    """Say which channels in Slack hear of this run, none where None, and which commit it is of."""
    board = _board.get()
    if board is not None:
        board.rooms = (named.channel, named.approvers_channel or "") if named else ("", "")
        if source is not None:
            _commit(source)


def tell_begun(source: Source, stages: tuple[str, ...] | None = None) -> None:
    """Tell which stages a commit is going to go through: those of a delivery where None."""
    board = _board.get()
    if board is not None:
        board.stages = stages
    commit, last = _commit(source), (RELEASE,) if stages is None else ()
    tell(*(StageNews(commit, each, State.PENDING) for each in (*_stages(source), *last)))


def await_stages(futures: Futures, source: Source, known: Sequence[str]) -> None:
    """Wait until all stages have ended, and tell of each one as the last component has passed it.

    Args:
        futures: what goes on; stages that nobody is told of may be among them.
        source: what it is about.
        known: components that have passed all stages before.
    """
    waited = {future: stage for each in futures.values() for stage, future in each.items()}
    commit = _commit(source)
    if _board.get() is None or not hearing(commit):
        wait(list(waited))
        return
    left = {stage: {f for f, name in waited.items() if name == stage} for stage in _stages(source)}
    for stage in [stage for stage, under_way in left.items() if known and not under_way]:
        tell(_ended(stage, futures, source, known))
    for future in as_completed(list(waited)):
        future.wait()  # only then it knows its own state; the server may hear of it later
        under_way = left.get(waited[future], set())
        if future in under_way:
            under_way.remove(future)
            if not under_way:
                tell(_ended(waited[future], futures, source, known))


def tell_release(release: Release) -> None:
    """Tell that images and manifests are bound together."""
    news = StageNews(_commit(release), RELEASE, State.SUCCESS, f"assembled {release.id}")
    tell(news)


def tell_plan(release: Release, place: Place, plan: Plan, state: State) -> None:
    """Tell what a release would change in an environment, and whether people are asked first."""
    asked = "waits for an approval" if state is State.WAITING else "comes next"
    _tell_environment(release, place, state, f"{asked}: {count_changes(plan)}", plan_page(plan))


def tell_acting(release: Release, place: Place, by: By) -> None:
    """Tell that a rollout begins, or goes on behind a gate."""
    behind = f", gate {by.gates} is open" if by.gates else ""
    _tell_environment(release, place, State.IN_PROGRESS, f"rolling out{behind}")


def tell_record(place: Place, record: Record) -> None:
    """Tell how a rollout has ended, or that it waits at a gate."""
    _tell_environment(record.release, place, state_of(record), record.reason)


def _tell_environment(
    release: Release, place: Place, state: State, sentence: str, page: str = ""
) -> None:
    address, commit = place.environment.url, _commit(release)
    url = public_address(address, place.target.ingress) if address else None
    tell(EnvironmentNews(commit, place.name, release.id, state, sentence, url, page))


def commit_of_run(application: str, author: str = "", run: str = "") -> Commit:
    """Return what news are about that concern a run, this one where no other is named."""
    board = _board.get()
    if board is not None and board.commit is not None and not run:
        return board.commit
    return _unnamed(application, author, run or flow_run.id or "")


def _unnamed(application: str, author: str, run: str) -> Commit:
    """Return a run's commit, of which nothing else is known yet."""
    board = _board.get()
    link = url_for("flow-run", run) or "" if run else ""
    repository = flow_run.parameters.get("repository", "") if run == flow_run.id else ""
    rooms = board.rooms if board else None
    return Commit(application, repository, "", "", author, run, link, rooms)


def _commit(about: Source | Release) -> Commit:
    application, board = about.application, _board.get()
    name = application if isinstance(application, str) else application.application
    found = _unnamed(name, about.author, flow_run.id or "")
    made = replace(found, repository=about.repository, name=about.commit, subject=about.subject)
    if board is not None:
        board.commit = made
    return made


def _stages(source: Source) -> tuple[str, ...]:
    components, board = source.application.components.values(), _board.get()
    found = dict.fromkeys(stage for each in components for stage in stages_of(each))
    wanted = board.stages if board is not None else None
    return tuple(stage for stage in found if wanted is None or stage in wanted)


def _ended(stage: str, futures: Futures, source: Source, known: Sequence[str]) -> StageNews:
    described = source.application.components
    ends = [end_of(name, _outcome(each[stage])) for name, each in futures.items() if stage in each]
    before = [reused(name) for name in known if stage in stages_of(described[name])]
    return stage_news(_commit(source), stage, (*ends, *before))


def _outcome(future: PrefectFuture[Any]) -> object:
    """Return what a stage returned or raised, None where it was not reached."""
    state = future.state
    if not (state.is_completed() or state.is_failed()):
        return None
    return state.result(raise_on_failure=False)
