"""Analysis: what a release does to its users, judged by its service level objectives."""

__all__: list[str] = []
