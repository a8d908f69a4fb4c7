"""What has been built, tested and scanned once is not built again."""

from tasks.reuse.effects import Delivered, Terms, find, find_checked, keep, keep_checked

__all__ = ["Delivered", "Terms", "find", "find_checked", "keep", "keep_checked"]
