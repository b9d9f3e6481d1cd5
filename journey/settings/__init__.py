"""Every setting, its default and its meaning. Nothing else in the package reads the environment."""

from journey.settings.model import MEGAPIXEL, MIB, PREFIX, Settings
from journey.settings.reading import read_settings

__all__ = ["MEGAPIXEL", "MIB", "PREFIX", "Settings", "read_settings"]
