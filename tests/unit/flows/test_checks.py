from flows.checks import joined
from tasks.core.errors import StageFailed, Unavailable

LINT = StageFailed("lint found problems", "shop/web", "correct them")
TESTS = StageFailed("2 of 10 tests failed", "shop/web", "correct the tests")


def test_a_single_failure_speaks_for_itself() -> None:
    away = Unavailable("BuildKit does not answer", "shop/web", "slipway lab up")
    assert joined([("web", away)], "shop@abc") is away


def test_several_failures_are_told_together() -> None:
    error = joined([("web", LINT), ("web", TESTS), ("api", KeyError("port"))], "shop@abc")
    assert str(error) == (
        "shop@abc: 3 stages failed\n"
        "web: lint found problems\n"
        "web: 2 of 10 tests failed\n"
        "api: 'port'. Next: mend them and deliver the next commit; nothing was rolled out"
    )
