from benchmarks.rollback.alarms import false_alarms


def test_good_releases_with_a_noisy_baseline_are_taken_back_by_thresholds_only() -> None:
    alarms = false_alarms(seeds=(1,), each=20)
    assert alarms["slipway"] == 0
    assert min(alarms["argo"], alarms["flagger"]) > 0
