"""The one place that states Auricle's version."""

__version__ = "0.1.0"
