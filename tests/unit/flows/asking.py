"""A run that asks people, on Prefect's own server: it is paused, answered and gone on with.

The test is the worker: it runs the flow in this process whenever the run is due.
"""

import contextlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pyotp
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow
from prefect.states import Scheduled

from infra.server.client import asked_in
from tasks.approval import SecretApprovers, enrol
from tasks.core.clock import utc_now
from tasks.core.cluster import Objects

__all__ = ["Asking", "People"]


class People:
    """Approvers who are enrolled in a test's cluster."""

    def __init__(self, cluster: Objects, *names: str) -> None:
        kept = SecretApprovers(cluster)
        self.secrets = {name: enrol(name, (f"{name}@example.com",), kept) for name in names}

    def form(self, name: str, **more: str) -> dict[str, str]:
        """Fill in the form as somebody does, with the code of this moment."""
        code = pyotp.TOTP(self.secrets[name]).at(utc_now())
        return {"approver": name, "code": code, "decision": "approve", **more}


@dataclass(slots=True)
class Asking:
    """One run of a flow."""

    client: SyncPrefectClient
    flow: Flow[..., Any]
    id: UUID

    @classmethod
    def begun(cls, client: SyncPrefectClient, flow: Flow[..., Any]) -> "Asking":
        """Create a run and let it come to its first question."""
        flow_id = client.create_flow(flow)
        deployment = client.create_deployment(flow_id, flow.name)
        run = client.create_flow_run_from_deployment(deployment)
        asking = cls(client, flow, run.id)
        asking.goes_on()
        return asking

    @property
    def run(self) -> FlowRun:
        """The run as the server has it."""
        return self.client.read_flow_run(self.id)

    @property
    def state(self) -> State[Any]:
        """Its state as the server has it."""
        state = self.run.state
        assert state is not None
        return state

    @property
    def question(self) -> str:
        """What an approver reads; empty where nobody is asked."""
        keys = self.state.state_details.run_input_keyset
        if not keys:
            return ""
        return str(json.loads(self.client.read_flow_run_input(self.id, keys["description"])))

    @property
    def asks(self) -> str:
        """Name of what is asked; empty where nothing is."""
        return asked_in(self.state.model_dump(mode="json"))

    def goes_on(self) -> None:
        """Do what a worker does with a run that is due."""
        with contextlib.suppress(Pause):
            run_flow(self.flow, flow_run=self.run, return_type="state")

    def resumed(self, form: dict[str, str] | None) -> str:
        """Answer, and go on where the server takes the answer; return what it said.

        A form that does not say to which question answers the one that is asked.
        """
        form = {"question": self.asks, **form} if form else form
        result = self.client.resume_flow_run(self.id, run_input=form)
        if result.status.value == "ACCEPT":
            self.goes_on()
        return result.status.value

    def answered_by_hand(self, form: dict[str, str]) -> None:
        """Write an answer beside the server's own way, and set the run going."""
        keys = self.state.state_details.run_input_keyset
        assert keys is not None
        self.client.create_flow_run_input(
            self.id, keys["response"], json.dumps({"question": self.asks, **form})
        )
        self.scheduled_by_hand()

    def scheduled_by_hand(self) -> None:
        """Do what anybody can who reaches Prefect's API."""
        self.client.set_flow_run_state(self.id, Scheduled(), force=True)
        self.goes_on()
