"""Where an application's images are: names of repositories in a registry."""

from tasks.core.application import Application
from tasks.core.errors import ConfigError

__all__ = ["is_registry_host", "repository_of"]


def repository_of(application: Application, component: str, registry: str) -> str:
    """Return the repository of a component's image below a registry's prefix.

    An image name that carries a registry of its own keeps only its path: the person who runs
    Slipway says where images go, not the manifests.

    Args:
        application: whose image it is.
        component: name in slipway.yaml.
        registry: what a person named; empty leaves it to the application's own `registry`.

    Raises:
        ConfigError: neither names one.
    """
    registry = registry or application.registry or ""
    if not registry:
        raise ConfigError(
            "no registry was named",
            where=f"{application.application}: registry",
            next_step="name one there or with --registry",
        )
    name = application.image_name(component).partition("@")[0]
    first, slash, rest = name.partition("/")
    path = rest if slash and is_registry_host(first) else name
    head, slash, last = path.rpartition("/")
    return f"{registry.rstrip('/')}/{head}{slash}{last.partition(':')[0]}"


def is_registry_host(text: str) -> bool:
    """Say whether the first part of an image's name is a host, by Docker's rule."""
    return "." in text or ":" in text or text == "localhost"
