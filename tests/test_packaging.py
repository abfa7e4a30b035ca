"""Makefile, CI, constraints, image: what a fresh clone relies on."""

import json
import os
import re
import subprocess
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from auricle_cli.main import main

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


# --- make --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("demo", "bin/auricle demo"),
        ("serve", "bin/auricle serve"),
        ("test", "bin/python -m pytest"),
        ("test-slow", "bin/python -m pytest -m slow"),
        ("check", "bin/mypy"),
        ("proto", "scripts/generate_stubs.sh"),
    ],
)
def test_targets(target: str, command: str) -> None:
    done = make("--dry-run", target)
    assert done.returncode == 0, done.stderr
    assert command in done.stdout
    assert re.search(rf"^{target}  ", make("help").stdout, re.MULTILINE)


def test_a_fresh_clone_installs_first(tmp_path: Path) -> None:
    planned = make("--dry-run", "test", f"VENV={tmp_path}/venv").stdout
    steps = ["-m venv", '-c constraints.txt --editable ".[http]"', "--group dev", "-m pytest"]
    places = [planned.index(step) for step in steps]
    assert places == sorted(places)


def test_the_demo_takes_a_recording() -> None:
    assert 'auricle demo "my file.m4a"' in make("--dry-run", "demo", "AUDIO=my file.m4a").stdout


def test_the_demo_takes_a_checkpoint() -> None:
    planned = make("--dry-run", "demo", "MODEL=my whisper", "AUDIO=my file.m4a").stdout
    assert 'auricle demo --model "my whisper" "my file.m4a"' in planned


def test_another_build_of_torch() -> None:
    planned = make(
        "--dry-run", "install", "VENV=/nowhere/venv", "TORCH_INDEX=file:///wheels"
    ).stdout
    assert '--index-url "file:///wheels" torch torchaudio' in planned


def test_an_old_python_is_told_so(tmp_path: Path) -> None:
    done = make("install", f"VENV={tmp_path}/venv", "PYTHON=false")
    assert done.returncode == 2
    assert "Auricle needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_ci_runs_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("exec make test")


# --- what is installed ---------------------------------------------------------------------------


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[ ]", requirement)[0].lower() for requirement in requirements}


def test_constraints_pin_every_direct_dependency() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line) for line in lines)
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    wanted += [name for extra in project["optional-dependencies"].values() for name in extra]
    wanted += PROJECT["build-system"]["requires"]
    assert names(lines) == names(wanted)
    assert {"torch==2.11.0", "torchaudio==2.11.0"} <= set(lines)


def test_the_one_command() -> None:
    (command,) = entry_points(group="console_scripts", name="auricle")
    assert command.value == "auricle_cli.main:main"
    assert command.load() is main
    assert PROJECT["project"]["scripts"] == {"auricle": command.value}


def test_the_licence_is_whole() -> None:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


# --- the image -----------------------------------------------------------------------------------

Instruction = tuple[str, str]


def stages() -> list[list[Instruction]]:
    """The Dockerfile's instructions, a list for each FROM; what stands before the first is left."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "")
    found: list[list[Instruction]] = []
    for line in filter(None, text.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        if found:
            found[-1].append((word, " ".join(rest.split())))
    return found


def values(stage: list[Instruction], word: str) -> list[str]:
    return [rest for each, rest in stage if each == word]


def test_two_stages_and_no_tools_in_the_last() -> None:
    build, final = stages()
    assert any("pip install" in run for run in values(build, "RUN"))
    runs = " ".join(values(final, "RUN"))
    assert "pip uninstall --yes pip" in runs
    assert not re.search(r"\b(apt|apt-get|gcc|make|install)\b", runs)
    assert values(final, "COPY") == ["--from=build /opt/auricle /opt/auricle"]


def test_the_last_stage_is_not_root() -> None:
    _, final = stages()
    (user,) = values(final, "USER")
    assert int(user) > 0  # by number, as Kubernetes wants it
    assert any(f"--uid {user} " in run for run in values(final, "RUN"))
    words = [word for word, _ in final]
    assert "RUN" not in words[words.index("USER") :]


def test_torch_comes_from_a_build_argument() -> None:
    build, _ = stages()
    assert values(build, "ARG") == ['TORCH_INDEX_URL=""']
    (torch,) = [run for run in values(build, "RUN") if "torchaudio" in run]
    shell = torch.replace("pip install", "printf '%s|'", 1)
    for url, index in (("", ""), ("file:///my wheels", "--index-url|file:///my wheels|")):
        done = subprocess.run(
            ["sh", "-c", shell],
            env={"TORCH_INDEX_URL": url},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"--constraint|constraints.txt|{index}torch|torchaudio|"


def test_what_is_copied_is_there_and_not_ignored() -> None:
    build, _ = stages()
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    sources = [name for copy in values(build, "COPY") for name in copy.split()[:-1]]
    assert "asr" in sources
    for source in sources:
        assert f"!{source}" in ignored
        assert (ROOT / source).exists()


def test_the_image_starts_and_is_probed_by_commands_that_exist() -> None:
    _, final = stages()
    (entry,), (default,) = values(final, "ENTRYPOINT"), values(final, "CMD")
    (probe,) = values(final, "HEALTHCHECK")
    served = json.loads(entry) + json.loads(default)
    probed = json.loads(probe[probe.index("CMD ") + 4 :])
    for program, *arguments in (served, probed):
        assert program == "auricle"
        context = main.make_context("auricle", list(arguments))
        name, command, rest = main.resolve_command(context, list(arguments))
        assert command is not None
        command.make_context(name, rest, parent=context)  # parses, or raises
    assert served[2:] == ["--host", "0.0.0.0"]


def test_no_registry_is_named() -> None:
    for name in ("Dockerfile", "Makefile", "constraints.txt", "pyproject.toml"):
        assert "https://" not in (ROOT / name).read_text(encoding="utf-8")
