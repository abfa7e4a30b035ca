"""Published models: what their files say, as our dimensions and our weights.

Adding a family is one file (docs/checkpoints.md).
"""

from auricle.families.hub import hub_folder, is_hub_name, pull
from auricle.families.pretrained import FAMILIES, describe, load_pretrained

__all__ = ["FAMILIES", "describe", "hub_folder", "is_hub_name", "load_pretrained", "pull"]
