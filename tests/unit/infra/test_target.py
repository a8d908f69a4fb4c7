import os
from dataclasses import replace
from pathlib import Path

import pytest

from infra.target import Named, choose, chosen
from tasks.core.errors import ConfigError
from tasks.core.target import Target

LAB = Target("/lab/kubeconfig", "slipway-lab", "127.0.0.1:15000", "unix:///b", "unix:///d")


def kubeconfig(file: Path, *contexts: str) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"contexts: [{', '.join(f'{{name: {name}}}' for name in contexts)}]\n")
    return str(file)


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A person's own kubeconfig."""
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("KUBECONFIG", kubeconfig(tmp_path / "config", "staging", "prod"))
    return os.environ["KUBECONFIG"]


@pytest.fixture
def lab(tmp_path: Path) -> Target:
    """A lab that runs, where this instance has its own."""
    file = tmp_path / "state" / "default" / "lab" / "kubeconfig"
    return replace(LAB, kubeconfig=kubeconfig(file, "slipway-lab"))


def test_no_cluster_is_ever_picked_up_silently() -> None:
    with pytest.raises(ConfigError, match="no cluster was named"):
        chosen()


def test_what_was_chosen_once_is_used_again() -> None:
    choose(LAB)
    assert chosen() == LAB


def test_the_command_line_goes_before_what_was_chosen(own: str) -> None:
    cluster = replace(LAB, kubeconfig=own, context="prod")
    choose(cluster)
    named = chosen(Named(context="staging", registry="registry.example/me"))
    assert named == replace(cluster, context="staging", registry="registry.example/me")


def test_naming_the_cluster_that_was_chosen_changes_nothing(lab: Target) -> None:
    choose(replace(lab, ingress="127.0.0.1:15080"))
    named = Named(context="slipway-lab", kubeconfig=lab.kubeconfig)
    assert chosen(named) == replace(lab, ingress="127.0.0.1:15080")


def test_another_cluster_is_not_probed_through_the_ingress_of_the_one_that_was_chosen(
    own: str,
) -> None:
    ours = replace(LAB, kubeconfig=own, context="prod")
    choose(replace(ours, ingress="127.0.0.1:15080", prometheus="http://10.200.0.2:9090"))
    target = chosen(Named(context="staging"))
    assert (target.context, target.ingress, target.prometheus) == ("staging", None, None)


def test_another_cluster_than_the_lab_is_in_the_persons_own_kubeconfig(
    lab: Target, own: str
) -> None:
    choose(lab)
    target = chosen(Named(context="staging"))
    assert (target.kubeconfig, target.registry) == (own, "")


def test_a_context_alone_leaves_the_registry_to_the_application(own: str) -> None:
    target = chosen(Named(context="staging"))
    assert (target.context, target.registry) == ("staging", "")
    assert target.kubeconfig == own


def test_a_context_that_is_not_there_is_refused_with_those_that_are(own: str) -> None:
    with pytest.raises(ConfigError, match=f"{own}: has no context 'stagin', but staging, prod"):
        chosen(Named(context="stagin"))


def test_the_context_that_was_chosen_has_to_be_in_another_kubeconfig_too(
    tmp_path: Path, lab: Target
) -> None:
    choose(lab)
    other = kubeconfig(tmp_path / "other", "elsewhere")
    with pytest.raises(ConfigError, match="has no context 'slipway-lab', but elsewhere"):
        chosen(Named(kubeconfig=other))


def test_a_kubeconfig_that_is_not_there_or_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere: there is no such kubeconfig"):
        chosen(Named(context="staging", kubeconfig=str(tmp_path / "nowhere")))
    (tmp_path / "broken").write_text("contexts: [")
    with pytest.raises(ConfigError, match="broken: cannot be read"):
        chosen(Named(context="staging", kubeconfig=str(tmp_path / "broken")))


def test_contexts_may_be_in_several_files_as_kubectl_has_it(tmp_path: Path) -> None:
    files = [kubeconfig(tmp_path / name, name) for name in ("one", "two")]
    joined = os.pathsep.join([*files, str(tmp_path / "not-yet")])
    assert chosen(Named(context="two", kubeconfig=joined)).context == "two"


def test_the_worker_finds_a_kubeconfig_that_was_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = chosen(Named(context="staging", kubeconfig="config"))
    assert named.kubeconfig == str(tmp_path / "config")


def test_without_a_context_each_environment_names_its_own(own: str) -> None:
    assert chosen(Named(kubeconfig=own, registry="registry.example/me")).context == ""
