"""After a rollout: an alert takes it back, or a person is woken up, or nothing happens."""

from prefect import flow
from prefect.runtime import flow_run

from flows.back import page_failure, try_back
from flows.telling import telling
from tasks.core.alerts import Alert
from tasks.core.errors import Conflict
from tasks.core.past import Past
from tasks.core.record import Record
from tasks.core.target import Target
from tasks.guard.decide import is_back
from tasks.guard.model import Answer, Judgement
from tasks.guard.pages import noted, page_of
from tasks.guard.task import confirm, judge_alerts, send_page
from tasks.rollout.model import Back, By, Place
from tasks.rollout.place import place_without_repository
from tasks.rollout.task import find_begun, judge_live, note_in_record, read_past

__all__ = ["guard"]

ACTOR = "guard"


def _run_name() -> str:
    parameters = flow_run.parameters
    return f"guard {parameters['environment']}/{parameters['application']}"


@flow(flow_run_name=_run_name, persist_result=True)
@telling()
def guard(  # noqa: PLR0913, PLR0917 one field of the form each
    application: str,
    environment: str,
    namespace: str,
    alerts: tuple[Alert, ...],
    target: Target,
    context: str | None = None,
    prometheus: str | None = None,
) -> Judgement:
    """Look at alerts about an environment: take its release back, page, or do nothing.

    Args:
        application: name in slipway.yaml.
        environment: name in slipway.yaml.
        namespace: the environment's namespace.
        alerts: of one message of Alertmanager's, all about this environment.
        target: the cluster to work with.
        context: kube context, where the target names none.
        prometheus: address of the environment's own Prometheus; the target's where absent.
    """
    place = place_without_repository(application, environment, namespace, target, context)
    past = read_past(place)
    asked = prometheus or target.prometheus
    judgement = judge_alerts(str(place), past, alerts, asked, _under_way(place, past))
    if not judgement.certain and judgement.number is not None:
        judgement = confirm(str(place), judgement, judge_live(place, judgement.number))
    match judgement.answer:
        case Answer.ROLL_BACK:
            _take_back(place, past, judgement)
        case Answer.PAGE:
            send_page(page_of(str(place), judgement))
            _note(place, past, judgement)
        case Answer.IGNORE:
            pass
    return judgement


def _under_way(place: Place, past: Past) -> Record | None:
    """Read what the rollout under way has counted; the past has no room for it."""
    return find_begun(place, past.under_way.run) if past.under_way else None


def _take_back(place: Place, past: Past, judgement: Judgement) -> None:
    """Roll back, and wake somebody up where that comes to nothing."""
    back = Back(judgement.reason, blames=judgement.release)
    found = try_back(place, By(flow_run.id, ACTOR), back)
    if isinstance(found, Conflict):  # somebody else has taken it back, or is at it
        return
    if not isinstance(found, Record) or not is_back(found):
        raise page_failure(place, judgement, found)
    _note(place, past, judgement)


def _note(place: Place, past: Past, judgement: Judgement) -> None:
    """Keep a judgement in the record; one that its run may be writing is left alone."""
    it = past.record(judgement.number)
    said = noted(judgement, it.moments) if it else None
    is_open = it == past.under_way and judgement.answer is Answer.PAGE
    if said is not None and not is_open:
        note_in_record(place, judgement.number, said)
