"""What has been built, tested and scanned once is not built again."""

from tasks.reuse.effects import Delivered, Terms, find, keep

__all__ = ["Delivered", "Terms", "find", "keep"]
