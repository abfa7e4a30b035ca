"""The recipe behind the bundled model. Imports the rest; nothing imports it."""

from auricle.training.trainer import train

__all__ = ["train"]
