"""The gate of windows and freezes; the calendar itself stands in tasks/core/calendar.py."""
