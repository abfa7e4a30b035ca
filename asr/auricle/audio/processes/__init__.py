"""Decoding in processes of its own, so that what breaks a C library costs one audio."""

from auricle.audio.processes.pool import DecoderPool

__all__ = ["DecoderPool"]
