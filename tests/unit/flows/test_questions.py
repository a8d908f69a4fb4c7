from dataclasses import replace
from datetime import timedelta

import pytest

from flows.questions import WHILE_CLOSED, rules_of
from tasks.core.admission import admission
from tasks.core.application import Environment
from tasks.core.calendar import Closed
from tasks.core.gates import Approval, Freeze, Window
from tests.unit.tasks.releases import NOON

FREEZE = Freeze(start="2026-01-01", end="2026-01-05")
WINDOW = Window(start="Mon 09:00", end="Fri 16:00")
OPEN = Environment("deploy", "shop-prod")
OVERRIDDEN = replace(OPEN, freezes=(FREEZE,), overriders=("maria",))
APPROVED = replace(OVERRIDDEN, approval=Approval(approvers=("ana",)))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param(OVERRIDDEN, True, id="a freeze that somebody may open"),
        pytest.param(
            replace(OVERRIDDEN, freezes=(), windows=(WINDOW,)), True, id="windows likewise"
        ),
        pytest.param(replace(OVERRIDDEN, overriders=()), False, id="nobody may open it"),
        pytest.param(replace(OVERRIDDEN, freezes=()), False, id="it is never closed"),
        pytest.param(APPROVED, False, id="people are asked either way"),
    ],
)
def test_where_somebody_is_asked_only_because_it_is_closed(
    environment: Environment,
    expected: bool,  # noqa: FBT001 a column of the table
) -> None:
    assert admission(environment, None).asks_while_closed is expected


IN_AN_HOUR = NOON + timedelta(hours=1)
CLOSED = Closed("frozen", IN_AN_HOUR)


@pytest.mark.parametrize(
    ("environment", "closed", "after", "expected"),
    [
        pytest.param(OPEN, None, 0, None, id="nobody"),
        pytest.param(APPROVED, CLOSED, 0, ("ana",), id="approvers, closed or not"),
        pytest.param(APPROVED, CLOSED, 120, ("ana",), id="and afterwards"),
        pytest.param(OVERRIDDEN, None, 0, None, id="nobody while it is open"),
        pytest.param(OVERRIDDEN, CLOSED, 0, ("maria",), id="overriders while it is closed"),
        pytest.param(OVERRIDDEN, CLOSED, 60, ("maria",), id="who may still be answering"),
        pytest.param(OVERRIDDEN, CLOSED, 61, None, id="nobody once it has opened by itself"),
        pytest.param(
            OVERRIDDEN,
            Closed("frozen", None),
            61,
            ("maria",),
            id="overriders where it stays",
        ),
        pytest.param(
            replace(OVERRIDDEN, overriders=()), CLOSED, 0, None, id="nobody where nobody may"
        ),
    ],
)
def test_who_is_asked(
    environment: Environment, closed: Closed | None, after: int, expected: tuple[str, ...] | None
) -> None:
    assert timedelta(minutes=1) == WHILE_CLOSED
    rules = rules_of(admission(environment, None), closed, NOON + timedelta(minutes=after))
    assert (rules and rules.approvers) == expected
