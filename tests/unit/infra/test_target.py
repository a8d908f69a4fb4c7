from dataclasses import replace
from pathlib import Path

import pytest

from infra.target import Named, choose, chosen
from tasks.core.errors import ConfigError
from tasks.core.model import Target

LAB = Target("/lab/kubeconfig", "slipway-lab", "127.0.0.1:15000", "unix:///b", "unix:///d")


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", "/home/somebody/.kube/config")


def test_no_cluster_is_ever_picked_up_silently() -> None:
    with pytest.raises(ConfigError, match="no cluster was named"):
        chosen()


def test_what_was_chosen_once_is_used_again() -> None:
    choose(LAB)
    assert chosen() == LAB


def test_the_command_line_goes_before_what_was_chosen() -> None:
    choose(LAB)
    named = chosen(Named(context="staging", registry="registry.example/me"))
    assert named == replace(LAB, context="staging", registry="registry.example/me")


def test_naming_the_cluster_that_was_chosen_changes_nothing() -> None:
    lab = replace(LAB, ingress="127.0.0.1:15080")
    choose(lab)
    assert chosen(Named(context="slipway-lab", kubeconfig="/lab/kubeconfig")) == lab


def test_another_cluster_is_not_probed_through_the_ingress_of_the_one_that_was_chosen() -> None:
    choose(replace(LAB, ingress="127.0.0.1:15080", prometheus="http://10.200.0.2:9090"))
    target = chosen(Named(context="staging"))
    assert (target.context, target.ingress, target.prometheus) == ("staging", None, None)


def test_another_cluster_than_the_lab_is_in_the_persons_own_kubeconfig(tmp_path: Path) -> None:
    choose(replace(LAB, kubeconfig=str(tmp_path / "default" / "lab" / "kubeconfig")))
    target = chosen(Named(context="staging"))
    assert (target.kubeconfig, target.registry) == ("/home/somebody/.kube/config", "")


def test_a_context_alone_leaves_the_registry_to_the_application() -> None:
    target = chosen(Named(context="staging"))
    assert (target.context, target.registry) == ("staging", "")
    assert target.kubeconfig == "/home/somebody/.kube/config"
