"""After a rollout: an alert takes it back, or a person is woken up, or nothing happens."""

from prefect import flow
from prefect.runtime import flow_run

from tasks.core.alerts import Alert
from tasks.core.errors import Conflict, StageFailed
from tasks.core.model import Record, RolloutState, Target
from tasks.guard.decide import failure_page, page_of
from tasks.guard.model import Answer, Judgement
from tasks.guard.task import judge_alerts, send_page
from tasks.rollout.model import Back, By, Place
from tasks.rollout.place import place_without_repository
from tasks.rollout.task import note_in_record, read_past, roll_back

__all__ = ["guard"]

ACTOR = "guard"


def _run_name() -> str:
    parameters = flow_run.parameters
    return f"guard {parameters['environment']}/{parameters['application']}"


@flow(flow_run_name=_run_name, persist_result=True)
def guard(  # noqa: PLR0913, PLR0917 one field of the form each
    application: str,
    environment: str,
    namespace: str,
    alerts: tuple[Alert, ...],
    target: Target,
    context: str | None = None,
) -> Judgement:
    """Look at alerts about an environment: take its live release back, page, or do nothing.

    Args:
        application: name in slipway.yaml.
        environment: name in slipway.yaml.
        namespace: the environment's namespace.
        alerts: of one message of Alertmanager's, all about this environment.
        target: the cluster to work with.
        context: kube context, where the target names none.
    """
    place = place_without_repository(application, environment, namespace, target, context)
    past = read_past(place)
    judgement = judge_alerts(str(place), past, alerts, target)
    match judgement.answer:
        case Answer.ROLL_BACK:
            _take_back(place, judgement)
        case Answer.PAGE:
            send_page(page_of(str(place), judgement))
            note_in_record(place, judgement.number, f"paged: {judgement.reason}")
        case Answer.IGNORE:
            pass
    return judgement


def _take_back(place: Place, judgement: Judgement) -> None:
    """Roll back, and wake somebody up where that comes to nothing."""
    back = Back(judgement.reason, blames=judgement.release)
    ended = roll_back(place, By(flow_run.id, ACTOR), back, return_state=True)
    found = ended.result(raise_on_failure=False)
    if isinstance(found, Record) and found.state is RolloutState.SUCCEEDED:
        return
    if isinstance(found, Conflict):  # somebody else has taken it back, or is at it
        return
    why = found.reason if isinstance(found, Record) else str(found)
    send_page(failure_page(str(place), judgement, why))
    raise StageFailed(
        f"the rollback failed: {why}",
        where=str(place),
        next_step=f"slipway history {place.name}",
    )
