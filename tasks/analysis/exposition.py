"""Reading what a pod answers at its metrics endpoint."""

import math
from collections.abc import Collection, Mapping

from prometheus_client.parser import text_string_to_metric_families

from tasks.analysis.series import Series

__all__ = ["parse_metrics"]

_AFTER_NAME = ("{", " ", "\t")


def parse_metrics(
    text: str, names: Collection[str], labels: Mapping[str, str]
) -> dict[Series, float]:
    """Return the counters of some names.

    Args:
        text: in Prometheus' text format.
        names: of the series; the other lines are not read, since they are the most.
        labels: that Prometheus would add when it scrapes; the pod's own go before them.

    Raises:
        ValueError: a line cannot be read.
    """
    lines = [line for line in text.splitlines() if _is_wanted(line, names)]
    try:
        families = list(text_string_to_metric_families("\n".join(lines) + "\n"))
    except (IndexError, KeyError) as error:  # how the parser fails on some cut lines
        raise ValueError(f"is no line of metrics: {error}") from error
    return {
        Series.of(sample.name, {**labels, **sample.labels}): sample.value
        for family in families
        for sample in family.samples
        if math.isfinite(sample.value) and sample.value >= 0
    }


def _is_wanted(line: str, names: Collection[str]) -> bool:
    return any(
        line.startswith(name) and line[len(name) :].startswith(_AFTER_NAME) for name in names
    )
