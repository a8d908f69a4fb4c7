"""Everything that watches an application, as the files that are handed over."""

from typing import Literal

from infra.monitoring.dashboards import dashboards
from infra.monitoring.manifests import dashboards_object, routes_object, rules_object
from infra.monitoring.routes import alertmanager_config, routes_of
from infra.monitoring.rules import rule_groups
from infra.monitoring.yaml_text import yaml_text
from tasks.core.application import Application

__all__ = ["Files", "Format", "manifests", "plain_files", "rule_files"]

Format = Literal["files", "manifests"]
Files = dict[str, str]
"""Content by path below the folder that they are written to."""


def rule_files(application: Application) -> Files:
    """Return one file of rules an environment."""
    return {
        f"{application.application}.{environment}.yaml": yaml_text(
            {"groups": [group.document() for group in rule_groups(application, environment)]}
        )
        for environment in application.environments
    }


def plain_files(application: Application) -> Files:
    """Return rules, routes and dashboards for a Prometheus that reads files."""
    rules = {f"rules/{name}": text for name, text in rule_files(application).items()}
    boards = {f"dashboards/{name}": text for name, text in dashboards(application).items()}
    routes = yaml_text(alertmanager_config([routes_of(application)]))
    return {**rules, "alertmanager.yml": routes, **boards}


def manifests(application: Application, stack: str) -> Files:
    """Return one file of objects an environment, and one of dashboards, for the Helm release."""
    name, routes = f"{application.application}-slipway", routes_of(application)
    watched = {
        f"{environment}.yaml": yaml_text(
            rules_object(name, place.namespace, rule_groups(application, environment), stack),
            routes_object(name, place.namespace, routes, stack),
        )
        for environment, place in application.environments.items()
    }
    boards = dashboards_object(f"{name}-dashboards", dashboards(application))
    return {**watched, "dashboards.yaml": yaml_text(boards)}
