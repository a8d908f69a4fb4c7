"""The server that the tests of flows have, too."""

from tests.unit.flows.conftest import prefect, pytest_collection_modifyitems

__all__ = ["prefect", "pytest_collection_modifyitems"]
