"""Whatever a file of 1 MB has in it, a command that reads it ends soon, and in little memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from support.attacks import (
    BINARIES,
    MASTERS,
    SELECTED,
    VARIABLES,
    WHEELS,
    hostile_choice,
    hostile_index,
    hostile_wheel,
    many_values,
    many_variables,
)
from support.cli import run
from support.limits import Measured, measured

SECONDS, MEBIBYTES = 10, 300
ONE_EACH = tuple(f"{name}x9" for name in VARIABLES)
"""A tag of each variable, so that two kinds of values of each are told apart."""
READABLE = {"many_symbols", "many_notes", "many_functions", "dense_code", "nested_device_code"}
"""What is large, and no lie."""


def within_limits(*command: str | Path, cwd: Path) -> Measured:
    result = measured(*command, cwd=cwd)
    assert "Traceback" not in result.output, command
    assert result.exit_code in (0, 1, 2), result.output[:1000]
    assert len(max(result.output.splitlines() or [""], key=len)) < 4_000
    assert result.seconds <= SECONDS, (command, result.seconds)
    assert result.peak <= MEBIBYTES, (command, result.peak)
    return result


@pytest.mark.slow(seconds=20)
@pytest.mark.parametrize("attack", [*BINARIES, *WHEELS])
def test_a_hostile_wheel_costs_little(tmp_path: Path, attack: str) -> None:
    wheel = hostile_wheel(attack, tmp_path / "wheels")
    for command in (
        ["check", "--offline"],
        ["inspect"],
        ["retag", "--tag", "x86_64_v3", "-o", str(tmp_path / "out")],
    ):
        within_limits(*command, wheel, cwd=tmp_path)


MACHINE = ("--python-version", "3.12", "--platform", "manylinux_2_28_x86_64")
OTHERS = {
    "upload": ("upload", "wheels", "--dry-run", "--extra-index", "file:index", "--no-repository"),
    "init": ("init", "--wheels", "cu128=wheels"),
    "convert": ("convert", "wheels", "-o", "out"),
    "metadata": ("metadata", "wheels", "-o", "out"),
    "stub": ("stub", "wheels", "--public-url", "https://h/simple", "-o", "out"),
    "select": ("select", "foo", "--index", "wheels", *MACHINE),
    "lock": ("lock", "foo", "--index", "wheels", "--default-index", "file:empty", "--with", "uv", *MACHINE),
    "summaries": ("check", "wheels", "--offline", "--fast", "--summary-out", "out"),
}


@pytest.mark.slow
@pytest.mark.parametrize("attack", ["many_requirements", "many_tags", "many_labels"])
@pytest.mark.parametrize("command", OTHERS)
def test_every_other_command_that_reads_wheels_is_as_cheap(tmp_path: Path, command: str, attack: str) -> None:
    hostile_wheel(attack, tmp_path / "wheels")
    (tmp_path / "empty").mkdir()
    default = (tmp_path / "empty").as_uri()
    within_limits(*(default if word == "file:empty" else word for word in OTHERS[command]), cwd=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["metadata", "convert", "stub"])
def test_a_label_of_many_values_is_as_cheap(tmp_path: Path, command: str) -> None:
    many_values(tmp_path / "wheels")
    within_limits(*OTHERS[command], cwd=tmp_path)


PAGES = {
    ("index", "verify", "foo", "--repair"): MASTERS,
    ("index", "list", "foo"): ["many versions"],
    ("index", "yank", "foo", "1.0", "--reason", "bad"): ["many versions", "many variants"],
    ("select", "foo", "--index", "index", *MACHINE): ["many builds", "deep"],
    ("check", "foo==1.0", "--index", "index"): ["many variants"],
    ("stub", "foo==1.0", "--index", "index", "--public-url", "https://h/simple"): ["many builds"],
    ("init", "--from", "foo==1.0", "--index", "index"): ["many cells"],
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "attack"),
    [pytest.param(key, one, id=" ".join([*key[:2], one])) for key, all_ in PAGES.items() for one in all_],
)
def test_a_page_of_an_index_is_as_cheap(tmp_path: Path, command: tuple[str, ...], attack: str) -> None:
    hostile_index(attack, tmp_path)
    within_limits(*command, cwd=tmp_path)


@pytest.mark.slow
def test_what_is_resolved_against_a_page_of_many_variants_is_as_cheap(tmp_path: Path) -> None:
    hostile_index("many variants", tmp_path)
    (tmp_path / "empty").mkdir()
    place = ("--index", "index", "--default-index", (tmp_path / "empty").as_uri(), "--with", "uv")
    for command in (("install", "foo", "--dry-run"), ("lock", "foo", *MACHINE), ("lock", "foo", "--universal")):
        within_limits(*command, *place, cwd=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("attack", [attack for attack in BINARIES if attack not in READABLE])
def test_a_library_that_cannot_be_read_is_no_pass(tmp_path: Path, attack: str) -> None:
    wheel = hostile_wheel(attack, tmp_path / "wheels")
    output = run("check", "--offline", "--select", "VP510", str(wheel)).stdout
    assert "cannot be understood" in output
    assert "1 unknown" in output


@pytest.mark.slow
def test_memory_does_not_follow_the_largest_member(tmp_path: Path) -> None:
    wheel = hostile_wheel("one_large_binary", tmp_path / "wheels")
    assert wheel.stat().st_size > 200_000_000
    result = measured("check", "--offline", wheel, cwd=tmp_path)
    assert "1 wheel checked" in result.output
    assert result.peak <= 160


def test_a_choice_by_24_variables_costs_little(tmp_path: Path) -> None:
    many_variables(tmp_path / "index")
    values = [word for name in VARIABLES for word in ("--set", f"{name}=0")]
    machine = ["--index", "index", "--python-version", "3.12", "--platform", "manylinux_2_28_x86_64", *values]
    result = within_limits("select", "foo", *machine, cwd=tmp_path)
    assert "selected: foo-1.0-cp312-cp312-manylinux_2_28_x86_64+v0x19.whl" in result.output
    within_limits(
        "install", "foo", "--dry-run", "--index", "index", "--default-index", tmp_path.as_uri(), *values, cwd=tmp_path
    )


def test_only_the_tags_of_wheels_tell_machines_apart(tmp_path: Path) -> None:
    many_variables(tmp_path / "wheels")
    rules = ("--select", "VP607", "--select", "VP608", "--select", "VP609")
    result = within_limits("check", "wheels", "--offline", *rules, cwd=tmp_path)
    assert result.seconds < 3
    assert "0 warnings" in result.output
    assert "0 unknown" in result.output


@pytest.mark.slow
@pytest.mark.parametrize("attack", SELECTED)
@pytest.mark.parametrize("command", ["select", "install"])
def test_a_choice_among_all_that_a_page_can_list_costs_little(tmp_path: Path, attack: str, command: str) -> None:
    hostile_choice(attack, tmp_path)
    (tmp_path / "empty").mkdir()
    values = [word for name in VARIABLES for word in ("--set", f"{name}=0")]
    options = MACHINE if command == "select" else ("--dry-run", "--default-index", (tmp_path / "empty").as_uri())
    within_limits(command, "foo", "--index", "index", *options, *values, cwd=tmp_path)


@pytest.mark.slow
def test_an_sdist_for_too_many_kinds_of_machines_is_refused(tmp_path: Path) -> None:
    many_variables(tmp_path / "index", wheels=ONE_EACH)
    place = ["--index", "index", "--public-url", "https://h/simple"]
    result = within_limits("stub", "foo==1.0", *place, "-o", "out", cwd=tmp_path)
    assert result.exit_code == 1
    assert "foo-1.0-wheel-selector.toml tells 16,777,216 kinds" in result.output
    assert "at most 10,000" in result.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("write", "file"),
    [(partial(many_variables, wheels=ONE_EACH), "foo-1.0-wheel-selector.toml"), (many_values, "foo-1.0-variants.json")],
)
def test_a_check_says_that_it_cannot_simulate_all_machines(
    tmp_path: Path, write: Callable[[Path], Path], file: str
) -> None:
    write(tmp_path / "wheels")
    result = within_limits(
        "check", "wheels", "--offline", "--select", "VP607", "--select", "VP608", "--select", "VP609", cwd=tmp_path
    )
    assert f"{file} tells more than 10,000 machines apart, and no more were simulated" in result.output
    assert "3 unknown" in result.output
