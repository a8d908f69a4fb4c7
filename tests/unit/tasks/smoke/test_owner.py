from dataclasses import replace

from tasks.smoke.owner import Owner


def test_an_owner_survives_the_way_through_a_tag() -> None:
    this = Owner.this()
    assert Owner.parse(str(this)) == this


def test_what_is_not_ours_has_no_owner() -> None:
    assert [Owner.parse(text) for text in ("", "latest", "a.b.c", "1.2")] == [None] * 4


def test_a_living_process_is_not_gone() -> None:
    assert not Owner.this().is_gone()


def test_a_process_that_took_over_the_number_is_another_owner() -> None:
    this = Owner.this()
    assert replace(this, started_at=this.started_at - 3600).is_gone()


def test_a_number_that_no_process_has_is_gone_on_this_machine_only() -> None:
    gone = replace(Owner.this(), pid=2**22 + 1)
    assert gone.is_gone()
    assert not replace(gone, machine="elsewhere").is_gone()
