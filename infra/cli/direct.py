"""A rollback in the command's own process: it needs the cluster, and nothing of Prefect's."""

import contextlib
import getpass
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

from rich.console import Console
from rich.markdown import Markdown

from flows.deeds import UNWRITTEN, Provenance, answered, taken_back
from flows.questions import approved_before, rollback_request, settled, way_of
from flows.views import Way, describe_rollback
from infra.cli.origin import own_origin
from infra.cli.output import say
from infra.cli.runs import asked
from tasks.approval.approvers import SecretApprovers
from tasks.approval.effects import answer
from tasks.approval.model import Answer, Choice, Request, Ruling
from tasks.audit import Deed, Proof
from tasks.audit.effects import append
from tasks.core.clock import Clock, SystemClock
from tasks.core.cluster import Cluster, Objects
from tasks.core.errors import ConfigError, GateClosed, SlipwayError, Unavailable
from tasks.core.record import Moment, Record
from tasks.core.slos import Slos
from tasks.core.target import Target
from tasks.guard.decide import asked_for, is_back
from tasks.guard.model import Page
from tasks.guard.pager import wake
from tasks.guard.pages import REFUSALS, failure, failure_page, paged
from tasks.rollout import records
from tasks.rollout.history import note, past
from tasks.rollout.model import Back, By, Place, Ports
from tasks.rollout.place import place_without_repository
from tasks.rollout.roll_back import plan_back, roll_back

__all__ = ["Person", "lines_shown", "recorded_place", "roll_back_here"]


PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 15))
"""Between tries where the cluster does not answer: somebody watches."""


@dataclass(frozen=True, slots=True)
class Person:
    """What an approver has said on the command line; asked for where absent."""

    approver: str | None = None
    code: str | None = field(default=None, repr=False)


def recorded_place(environment: str, namespace: str, target: Target, cluster: Objects) -> Place:
    """Return an environment of which only its namespace is known: the records say the rest.

    Raises:
        ConfigError: there are no records of such an environment.
    """
    stored = records.fetch(cluster, namespace)
    newest = next(
        (each for each in reversed(stored) if each.record.environment == environment), None
    )
    if newest is None:
        raise ConfigError(
            f"holds no record of a rollout into {environment}",
            where=f"namespace {namespace}",
            next_step="name the environment's own with --namespace",
        )
    application = newest.record.release.application
    return place_without_repository(application, environment, namespace, target)


def roll_back_here(place: Place, back: Back, person: Person, ports: Ports) -> Record:
    """Restore an earlier release, after one approver has said yes where the environment has any.

    Raises:
        GateClosed: the answer does not count, or the rollback is refused.
        StageFailed: the earlier release did not come back; who is on call is paged.
    """
    before, now = past(place, ports.cluster), ports.clock.now()
    request = rollback_request(place, before, back, now)
    by = By(f"direct-{uuid4()}", getpass.getuser(), approved_before(before, back, now))
    back = settled(back, before, request)
    if request is not None:
        shown = partial(_shown, back, way_of(before, back, place), place, ports)
        by = replace(by, approved_by=(_approver((request, shown), person, place, ports),))
    judgement, asked_here = asked_for(before, back.reason), Provenance(own_origin(), Proof.CLI)
    try:
        record = _patiently(lambda: roll_back(place, by, back, ports), ports.clock)
    except SlipwayError as error:
        _write_down(taken_back(place, by, back, error, asked_here), place, ports)
        if isinstance(error, REFUSALS):
            raise
        _page(failure_page(str(place), judgement, error.what))
        raise failure(str(place), error.what) from error
    if not _write_down(taken_back(place, by, back, record, asked_here), place, ports):
        _note(place, record, Moment(ports.clock.now(), UNWRITTEN), ports.cluster)
    _leave_report(record, before.slos)
    if not is_back(record):
        page = failure_page(str(place), judgement, record.reason)
        _page(page)
        _note(place, record, Moment(ports.clock.now(), paged(page)), ports.cluster)
        raise failure(str(place), record.reason)
    return record


def _shown(back: Back, way: Way, place: Place, ports: Ports, request: Request) -> str:
    """Describe a rollback; that nobody can say what would change keeps nobody from going back."""
    try:
        if way.restores is not None:
            way = replace(way, plan=plan_back(way.restores, place, ports.cluster))
    except Exception as error:  # noqa: BLE001 what is only shown stops nobody
        say("!", "yellow", f"nobody can say what would change: {error}")
    return describe_rollback(request, back, way)


def _patiently(work: Callable[[], Record], clock: Clock) -> Record:
    """Try again for a while what a cluster did not answer; a rollback goes on where it was."""
    for pause in PAUSES:
        try:
            return work()
        except Unavailable as error:
            say("!", "yellow", f"{error}; trying again")
            clock.wait(pause)
    return work()


def _write_down(deed: Deed, place: Place, ports: Ports) -> bool:
    """Write into the audit trail, and say whether that went well; no rollback fails by it."""
    try:
        append(ports.cluster, place.namespace, deed, ports.clock)
    except SlipwayError as error:
        say("!", "yellow", f"not written into the audit trail: {error}")
        return False
    return True


def _note(place: Place, record: Record, moment: Moment, cluster: Cluster) -> None:
    """Keep with the record what happened to it; that this fails hides no failed rollback."""
    try:
        note(place, record.number, moment, cluster)
    except SlipwayError as error:
        say("!", "yellow", f"not noted in the record: {error}")


def _leave_report(record: Record, slos: Slos) -> None:
    """Write the rollout's page, as a run does; one that cannot be written stops nothing."""
    from tasks.report.effects import store_report  # noqa: PLC0415 its templates take a while

    with contextlib.suppress(OSError):
        store_report(record, slos)


def _approver(
    question: tuple[Request, Callable[[Request], str]], person: Person, place: Place, ports: Ports
) -> str:
    """Let somebody at the terminal prove who they are, as in the form of a run."""
    request, shown = replace(question[0], opened_at=ports.clock.now()), question[1]
    if person.approver is None or person.code is None:
        Console(stderr=True).print(Markdown(shown(request)))
    name = person.approver or asked("Approver", "--as NAME")
    code = person.code or asked("One-time code", "SLIPWAY_CODE=123456", hide=True)
    now = ports.clock.now()
    given = Answer(
        name.strip(),
        code.strip(),
        Choice.APPROVE,
        "",
        answered_at=now,
        question=request.question,
        origin=own_origin(),
    )
    decision = answer(request, given, (), SecretApprovers(ports.cluster))
    _write_down(answered(request, given, decision, str(uuid4())), place, ports)
    if decision.ruling is not Ruling.APPROVED:
        raise GateClosed(
            decision.reason,
            where=request.place,
            next_step="the same command again, with another code",
        )
    return decision.approver


def _page(page: Page) -> None:
    try:
        is_sent = wake(page, SystemClock())
    except SlipwayError as error:
        say("!", "yellow", f"the page was not sent: {error}")
        return
    if is_sent:
        say("!", "yellow", "who is on call was paged")


class _Lines(logging.Handler):
    """Shows each line that the stages log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        say("·", "dim", record.getMessage())


@contextlib.contextmanager
def lines_shown() -> Iterator[None]:
    """Show what the stages log for as long as a block runs."""
    logger, lines = logging.getLogger("tasks"), _Lines(logging.INFO)
    logger.setLevel(logging.INFO)
    logger.addHandler(lines)
    try:
        yield
    finally:
        logger.removeHandler(lines)
