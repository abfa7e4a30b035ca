"""Every error of Auricle; `auricle_types.errors` defines them."""

from auricle_types.errors import *  # noqa: F403 - the public path of the library's errors
