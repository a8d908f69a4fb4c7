from pathlib import Path

import yaml
from cryptography import x509

from infra.lab.layout import Layout
from infra.lab.pki import client_kubeconfig, ensure_certificates


def made(folder: Path) -> Layout:
    layout = Layout("test", 1, folder, folder)
    ensure_certificates(layout)
    return layout


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_every_certificate_is_of_the_labs_own_authority(tmp_path: Path) -> None:
    layout = made(tmp_path)
    authority = certificate(layout.pki / "ca.crt")
    for name in ("apiserver", "kubelet-client", "client-slipway-admin"):
        certificate(layout.pki / f"{name}.crt").verify_directly_issued_by(authority)


def test_the_api_server_is_known_by_all_its_addresses(tmp_path: Path) -> None:
    layout = made(tmp_path)
    extensions = certificate(layout.pki / "apiserver.crt").extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert {layout.node_address, layout.api_service_address} <= addresses


def test_nobody_else_can_read_keys_and_kubeconfigs(tmp_path: Path) -> None:
    layout = made(tmp_path)
    files = [layout.kubeconfig, *layout.pki.iterdir()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    before = {file: file.read_bytes() for file in made(tmp_path).pki.iterdir()}
    after = {file: file.read_bytes() for file in made(tmp_path).pki.iterdir()}
    assert after == before


def test_a_new_authority_makes_everything_new(tmp_path: Path) -> None:
    layout = made(tmp_path)
    before = (layout.pki / "apiserver.crt").read_bytes()
    (layout.pki / "ca.key").unlink()
    made(tmp_path)
    authority = certificate(layout.pki / "ca.crt")
    certificate(layout.pki / "apiserver.crt").verify_directly_issued_by(authority)
    assert (layout.pki / "apiserver.crt").read_bytes() != before


def test_a_kubeconfig_names_the_user_with_its_groups_and_one_context(tmp_path: Path) -> None:
    layout = made(tmp_path)
    path = client_kubeconfig(layout, "system:node:a", ("system:nodes",))
    config = yaml.safe_load(path.read_text())
    assert config["current-context"] == "slipway-lab-test"
    assert [cluster["cluster"]["server"] for cluster in config["clusters"]] == [layout.api_server]
    subject = certificate(path.with_suffix(".crt")).subject.rfc4514_string()
    assert subject == "CN=system:node:a,O=system:nodes"
