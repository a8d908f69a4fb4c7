"""The lab's own certificate authority and everybody's certificates and kubeconfigs."""

import base64
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from infra.lab.layout import Layout
from tasks.core.clock import utc_now

__all__ = ["Pair", "client_kubeconfig", "ensure_certificates", "ensure_wildcard"]

_VALID = timedelta(days=3650)
_RENEW = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as files `NAME.crt` and `NAME.key`."""

    folder: Path
    name: str

    @property
    def certificate(self) -> Path:
        """PEM file of the certificate."""
        return self.folder / f"{self.name}.crt"

    @property
    def key(self) -> Path:
        """PEM file of the key, readable by root only."""
        return self.folder / f"{self.name}.key"

    def usable(self) -> bool:
        """Say whether both files are there and stay valid for a while."""
        if not (self.certificate.exists() and self.key.exists()):
            return False
        loaded = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        return loaded.not_valid_after_utc - utc_now() > _RENEW


def ensure_certificates(layout: Layout) -> None:
    """Make what is missing or runs out; all of it where the authority has to be new."""
    layout.pki.mkdir(parents=True, exist_ok=True)
    layout.pki.chmod(0o700)
    authority, front = Pair(layout.pki, "ca"), Pair(layout.pki, "front-proxy-ca")
    if not (authority.usable() and front.usable()):
        for file in layout.pki.iterdir():
            file.unlink()
        for pair in (authority, front):
            _make_authority(pair)
    _ensure_service_account_key(layout.pki)
    _ensure_server(layout, authority)
    _ensure(Pair(layout.pki, "kubelet-client"), authority, _subject("kubelet-client", _ADMINS))
    _ensure(Pair(layout.pki, "front-proxy-client"), front, _subject("front-proxy-client", ()))
    _write(layout.kubeconfig, client_kubeconfig(layout, "slipway-admin", _ADMINS).read_bytes())


_ADMINS = ("system:masters",)


def client_kubeconfig(layout: Layout, user: str, groups: Sequence[str] = ()) -> Path:
    """Kubeconfig by which a component is `user` to the API server; made where missing."""
    pair = Pair(layout.pki, f"client-{user.replace(':', '-')}")
    _ensure(pair, Pair(layout.pki, "ca"), _subject(user, groups))
    path = pair.certificate.with_suffix(".kubeconfig")
    cluster = {
        "server": layout.api_server,
        "certificate-authority-data": _base64(layout.pki / "ca.crt"),
    }
    login = {
        "client-certificate-data": _base64(pair.certificate),
        "client-key-data": _base64(pair.key),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": layout.context, "cluster": cluster}],
        "users": [{"name": user, "user": login}],
        "contexts": [
            {"name": layout.context, "context": {"cluster": layout.context, "user": user}}
        ],
        "current-context": layout.context,
    }
    _write(path, yaml.safe_dump(config).encode())
    return path


def ensure_wildcard(layout: Layout) -> Pair:
    """Return the ingress's certificate for `*.localhost`, signed by the lab's own authority."""
    pair = Pair(layout.pki, "ingress")
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName("*.localhost")])
    _ensure(pair, Pair(layout.pki, "ca"), _subject("ingress", ()), names)
    return pair


def _ensure_server(layout: Layout, authority: Pair) -> None:
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"]
    addresses = [layout.node_address, layout.api_service_address, "127.0.0.1"]
    alternatives = [
        *(x509.DNSName(name) for name in [*names, "kubernetes.default.svc.cluster.local"]),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
    ]
    extension = x509.SubjectAlternativeName(alternatives)
    _ensure(Pair(layout.pki, "apiserver"), authority, _subject("kube-apiserver", ()), extension)


def _ensure_service_account_key(folder: Path) -> None:
    private, public = folder / "service-accounts.key", folder / "service-accounts.pub"
    if private.exists() and public.exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    _write(private, _pem(key))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    _write(public, key.public_key().public_bytes(serialization.Encoding.PEM, form))


def _make_authority(pair: Pair) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject(f"slipway-lab-{pair.name}", ())
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=True,
        data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    _write(pair.key, _pem(key))
    _write(pair.certificate, _signed(builder, key))


def _ensure(
    pair: Pair,
    authority: Pair,
    subject: x509.Name,
    alternatives: x509.SubjectAlternativeName | None = None,
) -> None:
    if pair.usable():
        return
    signer = serialization.load_pem_private_key(authority.key.read_bytes(), password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{authority.key} holds no elliptic curve key")
    issuer = x509.load_pem_x509_certificate(authority.certificate.read_bytes()).subject
    key = ec.generate_private_key(ec.SECP256R1())
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    builder = _builder(subject, issuer, key).add_extension(
        x509.ExtendedKeyUsage(uses), critical=False
    )
    if alternatives is not None:
        builder = builder.add_extension(alternatives, critical=False)
    _write(pair.key, _pem(key))
    _write(pair.certificate, _signed(builder, signer))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = utc_now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _VALID)
    )


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _subject(user: str, groups: Sequence[str]) -> x509.Name:
    """Kubernetes reads the user from CN and the groups from O."""
    organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _write(path: Path, content: bytes) -> None:
    """Write a file that only root can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.rename(path)
