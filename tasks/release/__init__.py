"""Release: images by digest and rendered manifests, bound together under one name."""

__all__: list[str] = []
