"""The names that OpenAI's clients give to models, which stand for the one that is served."""

ALIASES = frozenset({
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-transcribe-diarize",
    "gpt-transcribe",
    "gpt-mini-transcribe",
    "gpt-realtime-whisper",
    "gpt-live-transcribe",
})  # fmt: skip


def served_name(name: str) -> str:
    """Return an empty name, the model that is served, for those that clients send unasked."""
    return "" if name in ALIASES else name
