"""The receiver: events from GitHub and Alertmanager, stored before they are answered."""

__all__: list[str] = []
