from datetime import UTC, datetime

from pydantic import TypeAdapter

from tasks.core.sample import Sample

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_sample_in_the_record_of_an_older_slipway_is_read() -> None:
    older = (
        '{"at": "2026-01-01T12:00:00Z", "sli": "availability", "track": "canary", "share": 5,'
        ' "total": 10.0, "bad": 1.0}'
    )
    read = TypeAdapter(Sample).validate_json(older)
    assert read == Sample(NOON, "availability", "canary", 5, 10.0, 1.0)
    assert (read.component, read.expected) == ("", None)
