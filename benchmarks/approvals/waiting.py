"""Making the runs that wait; a program of its own, for Prefect imports slowly.

python -m benchmarks.approvals.waiting register
python -m benchmarks.approvals.waiting make FIRST COUNT

A run that is made goes on in this process until it suspends itself, and only from there on is it
the worker's: what is measured is waiting and going on, not a thousand starts of a process.
"""

import asyncio
import sys
from contextlib import suppress

from prefect.client.orchestration import get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow
from prefect.states import Pending
from prefect.types.entrypoint import EntrypointType

from benchmarks.approvals.flow import wait
from deployments import POOL
from deployments.register import make_pool


def register() -> None:
    """Make the work pool and the deployment that the worker takes the runs from."""
    asyncio.run(_register())


async def _register() -> None:
    async with get_client() as client:
        await make_pool(client)
    kind = EntrypointType.MODULE_PATH
    made = RunnerDeployment.from_flow(wait, name="wait", work_pool_name=POOL, entrypoint_type=kind)
    await made.aapply()


def make(first: int, count: int) -> None:
    """Make runs, let each go on until it waits, and print its id."""
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name("wait/wait")
        for number in range(first, first + count):
            # not scheduled: the worker is not to start it
            run = client.create_flow_run_from_deployment(
                deployment.id, parameters={"number": number}, state=Pending()
            )
            with suppress(Pause):
                run_flow(wait, flow_run=run, parameters={"number": number})
            print(run.id, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "register":
        register()
    else:
        make(int(sys.argv[2]), int(sys.argv[3]))
