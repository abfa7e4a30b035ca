"""What `import auricle` promises, and what it does not load."""

import subprocess
import sys

import pytest

import auricle

PUBLIC = [
    "END_UTTERANCE",
    "Audio",
    "AuricleError",
    "DecodingOptions",
    "EndOfUtterance",
    "EngineConfig",
    "FinalSegment",
    "FinalTranscript",
    "Hotword",
    "Interim",
    "Receipt",
    "Recognizer",
    "Segment",
    "SpeechStarted",
    "SpeechStopped",
    "StreamingOptions",
    "Transcript",
    "Word",
    "__version__",
    "load_audio",
]


def test_the_surface_is_this_list() -> None:
    assert auricle.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_is_there(name: str) -> None:
    assert getattr(auricle, name)


def test_no_other_name_is_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Recogniser'"):
        auricle.Recogniser  # noqa: B018


def test_names_are_documented() -> None:
    for name in PUBLIC:
        value = getattr(auricle, name)
        if not isinstance(value, str):
            assert value.__doc__
            assert value.__module__.startswith(("auricle.", "auricle_types."))


@pytest.mark.parametrize(
    "statement",
    [
        "import auricle",
        "from auricle import AuricleError, DecodingOptions, Transcript",
        "import auricle.config, auricle.errors, auricle.evaluation",
    ],
)
def test_what_needs_no_torch_loads_none(statement: str) -> None:
    program = f"import sys; {statement}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_loading_a_model_imports_torch_and_not_what_takes_long() -> None:
    """The test above looks at the right thing; torch's compiler would take as long as all else."""
    program = (
        "import sys; from auricle import Recognizer; Recognizer.from_pretrained().close()\n"
        "print(*({'torch', 'torch._dynamo', 'librosa.filters'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.stdout == "torch\n", done.stderr
