"""Kubernetes' own programs, etcd and kubectl as one."""

from infra.lab.builds import GoProgram

__all__ = ["KUBERNETES", "VERSION"]

VERSION = "1.35.4"
_VERSION_PACKAGE = "k8s.io/component-base/version"

KUBERNETES = GoProgram(
    name="kubernetes",
    version=VERSION,
    module="kubernetes",
    ldflags=(
        f"-X {_VERSION_PACKAGE}.gitVersion=v{VERSION}"
        f" -X {_VERSION_PACKAGE}.gitMajor=1 -X {_VERSION_PACKAGE}.gitMinor=35"
        f" -X {_VERSION_PACKAGE}.gitTreeState=clean"
    ),
    seconds=240,
)
