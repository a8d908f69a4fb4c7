"""Telling people outside how far a commit is."""

from tasks.notify.model import Commit, EnvironmentNews, News, StageNews, State

__all__ = ["Commit", "EnvironmentNews", "News", "StageNews", "State"]
