"""Where a lab is: names, addresses, ports and paths, all from its instance's name.

Paths are the same inside the lab and outside it: state and cache are mounted in the
lab's root at the place where the host has them.
"""

import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from tasks.core import paths
from tasks.core.errors import ConfigError

__all__ = ["Layout", "current"]

_KNOWN = {"default": 0, "test": 1}
_LAST = 55
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")


@dataclass(frozen=True, slots=True)
class Layout:
    """One lab's names, addresses and places.

    Attributes:
        index: 0 to 55, what tells the addresses and ports of two labs apart.
        state: folder of everything that belongs to this lab.
        cache: folder of programs and root file systems, shared by all labs.
    """

    instance: str
    index: int
    state: Path
    cache: Path

    @property
    def _net(self) -> str:
        return f"10.{200 + self.index}"

    @property
    def host_address(self) -> str:
        """The host's end of the link; pods reach programs of the host here."""
        return f"{self._net}.0.1"

    @property
    def node_address(self) -> str:
        """The lab's end of the link and the address of the one node."""
        return f"{self._net}.0.2"

    @property
    def link(self) -> str:
        """Name of the network interface on the host."""
        return f"slipway{self.index}"

    @property
    def docker_bridge(self) -> str:
        """Address and prefix of the Docker engine's bridge."""
        return f"{self._net}.1.1/24"

    @property
    def docker_cidr(self) -> str:
        """Network of the Docker engine's containers."""
        return f"{self._net}.1.0/24"

    @property
    def service_cidr(self) -> str:
        """Network of the cluster's service addresses."""
        return f"{self._net}.64.0/18"

    @property
    def api_service_address(self) -> str:
        """First address of the services, which Kubernetes gives to its own API."""
        return f"{self._net}.64.1"

    @property
    def dns_address(self) -> str:
        """Service address of the cluster's DNS."""
        return f"{self._net}.64.10"

    @property
    def pod_cidr(self) -> str:
        """Network of the pods."""
        return f"{self._net}.128.0/17"

    @property
    def port(self) -> int:
        """First of the hundred loopback ports of this instance on the host."""
        return 15000 + 100 * self.index

    @property
    def registry(self) -> str:
        """`host:port` of the OCI registry, the same name on the host and inside the lab."""
        return f"127.0.0.1:{self.port}"

    @property
    def ingress(self) -> str:
        """`host:port` of the ingress on the host."""
        return f"127.0.0.1:{self.port + 80}"

    @property
    def api_server(self) -> str:
        """Address of the Kubernetes API, from the host and from the lab."""
        return f"https://{self.node_address}:6443"

    @property
    def prometheus(self) -> str:
        """Address of Prometheus."""
        return f"http://{self.node_address}:9090"

    @property
    def alertmanager(self) -> str:
        """Address of Alertmanager."""
        return f"http://{self.node_address}:9093"

    @property
    def node(self) -> str:
        """Name of the one node."""
        return "slipway-lab"

    @property
    def context(self) -> str:
        """Name of the kube context."""
        return "slipway-lab" if self.instance == "default" else f"slipway-lab-{self.instance}"

    @property
    def cgroup(self) -> str:
        """Parent of every cgroup of this lab, in each hierarchy."""
        return f"/slipway-{self.instance}"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, readable by root only."""
        return self.state / "kubeconfig"

    @property
    def target_file(self) -> Path:
        """The lab as a target of the pipeline, in JSON."""
        return self.state / "target.json"

    @property
    def run(self) -> Path:
        """Sockets and process ids; on the host's disk, so that both sides see them."""
        return self.state / "run"

    @property
    def etc(self) -> Path:
        """Configuration files of components, written anew before each start."""
        return self.state / "etc"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.state / "pki"

    @property
    def logs(self) -> Path:
        """One `NAME.log` a component."""
        return self.state / "logs"

    @property
    def volumes(self) -> Path:
        """Folder of the cluster's persistent volumes."""
        return self.state / "volumes"

    def data(self, component: str) -> Path:
        """Folder that a component keeps its data in; it outlives `down`."""
        return self.state / "data" / component

    def log(self, component: str) -> Path:
        """A component's log."""
        return self.logs / f"{component}.log"

    @property
    def buildkit_socket(self) -> Path:
        """BuildKit's socket."""
        return self.run / "buildkitd.sock"

    @property
    def docker_socket(self) -> Path:
        """The Docker engine's socket."""
        return self.run / "docker.sock"


def current() -> Layout:
    """Layout of the lab of this process's instance (SLIPWAY_INSTANCE).

    Raises:
        ConfigError: the instance's name cannot be part of an interface's or a cgroup's.
    """
    name = paths.instance()
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name for an instance",
            where="SLIPWAY_INSTANCE",
            next_step="take at most 20 small letters, digits and hyphens",
        )
    return Layout(name, index_of(name), paths.state_dir() / "lab", paths.cache_dir())


def index_of(instance: str) -> int:
    """Number of an instance: fixed for the two usual ones, else from the name's checksum."""
    if instance in _KNOWN:
        return _KNOWN[instance]
    return len(_KNOWN) + zlib.crc32(instance.encode()) % (_LAST + 1 - len(_KNOWN))
