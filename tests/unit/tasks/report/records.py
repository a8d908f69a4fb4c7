"""Made-up records, as rollouts write them."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from tasks.core.model import Digest, Outcome, ReleasedImage, Verdict
from tasks.core.record import Change, ChangeKind, Moment, Plan, Record, RolloutState
from tasks.core.sample import Sample
from tasks.core.slos import Availability, Latency, Saturation, Slos
from tasks.core.tracks import Track
from tests.unit.tasks import releases
from tests.unit.tasks.releases import NOON

RELEASE = replace(
    releases.RELEASE,
    created_at=NOON - timedelta(hours=2),
    images=(ReleasedImage("api", "registry/shop-api", Digest(f"sha256:{'a' * 64}")),),
)
RECORD = replace(releases.RECORD, release=RELEASE, run="run-1", actor="dora")
SLOS = Slos(
    availability=Availability(objective=99.5, errors="errors", total="total"),
    latency=Latency(objective=95, threshold=timedelta(seconds=1), histogram="seconds"),
    saturation=Saturation(query="pool", limit=0.8),
)
DIFF = "--- live\n+++ release\n@@ -1,3 +1,3 @@\n spec:\n-  image: api@1\n+  image: api@2"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def moment(
    seconds: float, what: str, share: int | None = None, outcome: Outcome | None = None
) -> Moment:
    return Moment(at(seconds), what, share, outcome)


def sample(
    seconds: float, track: Track, total: float, bad: float, *, sli: str = "availability"
) -> Sample:
    return Sample(at(seconds), sli, track, 5, total, bad)


def taken_back() -> Record:
    """A canary that answers errors from its second step on, with everything that is recorded."""
    query = 'sum(rate(http_requests_total{pod=~"api-canary-.+",code=~"5.."}[30s]))'
    return replace(
        RECORD,
        state=RolloutState.RESTORED,
        reason="availability: 18.2 % of 412 requests failed, 0.4 % of the stable ones beside it",
        finished_at=at(96),
        moments=(
            moment(0, "started"),
            moment(9, "canary ready (1 pod)"),
            moment(11, "5 % of the traffic", 5),
            moment(42, "passed: the canary is no worse than stable", outcome=Outcome.PASSED),
            moment(43, "25 % of the traffic", 25),
            moment(79, "failed: availability burns and is worse", outcome=Outcome.FAILED),
            moment(80, "traffic back on stable", 0),
            moment(95, "canary removed"),
        ),
        samples=tuple(_noise()),
        verdicts=(
            Verdict(
                Outcome.PASSED, "4 probes passed", ("GET pod/api-canary-1/health: 200 in 4 ms",)
            ),
            Verdict(Outcome.PASSED, "the canary is no worse than stable (5 %)", (query,)),
            Verdict(
                Outcome.FAILED,
                "availability: 18.2 % of 412 requests failed, 0.4 % of the stable ones",
                (query, "canary: 75 of 412; stable: 5 of 1236; p = 1e-9", "burn 36.4 over 5 min"),
            ),
        ),
        plan=Plan(
            "p-0123456789ab",
            "prod",
            "shop-prod",
            RELEASE.id,
            6,
            (
                Change(ChangeKind.UPDATE, "Deployment/api", DIFF),
                Change(ChangeKind.CREATE, "ConfigMap/api-2", "+data: {}"),
                Change(ChangeKind.DELETE, "ConfigMap/api-1"),
                Change(ChangeKind.UNCHANGED, "Service/api"),
            ),
            ("quota cpu: 3.5 of 4 used during the rollout",),
        ),
    )


def _noise() -> Iterator[Sample]:
    rng = random.Random(4)  # noqa: S311 no secret
    for second in range(11, 82):
        share = 5 if second < 43 else 25
        rate = 0.2 if second >= 46 else 0.004
        for track, part, bad in (("stable", 100 - share, 0.004), ("canary", share, rate)):
            count = float(round(part / 2 + rng.random() * 3))
            failed = float(sum(rng.random() < bad for _ in range(int(count))))
            yield Sample(at(second), "availability", track, share, count, failed)  # type: ignore[arg-type]
            slow = float(sum(rng.random() < 0.03 for _ in range(int(count))))
            yield Sample(at(second), "latency", track, share, count, slow)  # type: ignore[arg-type]
            yield Sample(at(second), "latency > 0.25", track, share, count, 2 * slow)  # type: ignore[arg-type]
            yield Sample(at(second), "saturation", track, share, 1, 0.5 + rng.random() / 10)  # type: ignore[arg-type]
