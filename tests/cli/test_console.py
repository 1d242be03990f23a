"""What leaves the program: one place prints, and text of unknown origin stays text."""

from __future__ import annotations

import ast
import json
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

import variant_publish
from support.cli import run
from support.each import for_each
from support.wheels import make_wheel
from variant_publish.cli import console, layout, main

CLI = Path(variant_publish.__file__).parent / "cli"
HOSTILE = "x\n::set-output name=a::b\r\x1b[2J\x1b]0;title\x07\u202egpj.exe\x85"


@for_each(sorted(CLI.glob("*.py")))
def test_only_the_console_prints(path: Path) -> None:
    if path.name == "console.py":
        return
    names = {
        ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
    }
    assert not names & {"print", "click.echo", "click.secho", "sys.stdout.write", "sys.stderr.write"}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Return a wheel with a second dist-info folder whose name is hostile."""
    path = make_wheel(tmp_path / "dist", "foo-1.0-py3-none-any.whl")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{HOSTILE}-1.0.dist-info/METADATA", "")
        archive.writestr(f"{HOSTILE}.so", b"\x7fELF")
    return path


@pytest.mark.parametrize("form", ["text", "github", "html", "markdown", "junit", "sarif", "json"])
def test_a_hostile_name_inside_a_wheel_stays_text(wheel: Path, form: str) -> None:
    out = run("check", str(wheel), "--format", form).stdout
    assert "set-output" in out
    assert all(character.isprintable() or character == "\n" for character in out)
    assert not any(line.lstrip().startswith(("::set-output", "\u202e")) for line in out.splitlines())
    if form == "junit":
        assert ElementTree.fromstring(out).tag == "testsuites"  # noqa: S314  (it is ours)
    if form in ("json", "sarif"):
        assert json.loads(out)
    if form == "github":
        assert {line.split(" ")[0] for line in out.splitlines()} <= {"::error", "::warning", "::notice"}


@pytest.mark.parametrize("command", ["inspect", "retag", "upload"])
def test_no_command_prints_control_characters(
    wheel: Path, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    more = {"inspect": [], "retag": ["--generic", "-o", HOSTILE.replace("/", "")], "upload": ["--dry-run"]}[command]
    result = run(command, str(wheel.parent), *more)
    assert all(character.isprintable() or character in "\n\t" for character in result.stdout + result.stderr)


def test_a_message_of_several_lines_is_marked() -> None:
    result = run("check", "no\n::error::such place")
    assert result.code == 2 or result.code == 1
    assert not any(line.lstrip().startswith("::") for line in result.stderr.splitlines())


@pytest.mark.parametrize(
    "kind", [RecursionError, OverflowError, MemoryError, KeyError, ZeroDivisionError, UnicodeError]
)
def test_whatever_goes_wrong_is_one_sentence(kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise kind("first line\nsecond line")

    monkeypatch.setattr(main.group, "main", broken)
    result = run("check")
    assert (result.code, result.stdout) == (1, "")
    assert "Traceback" not in result.stderr
    assert [line.split(":")[0].strip() for line in result.stderr.splitlines()] == ["error", "hint"]


def test_errors_of_click_look_like_ours() -> None:
    assert run("check", "--fromat", "json").stderr.startswith("error: no such option")
    assert run("chek").stderr == "error: there is no command 'chek'\n hint: did you mean 'check'?\n"
    assert "'variant-publish --help' lists the commands" in run("xyzzy").stderr
    assert run("check", "--format", "yaml", ".").stderr.startswith("error: invalid value for '--format'")


def test_the_help_groups_the_commands() -> None:
    text = run("--help").stdout
    places = [text.index(f"{title}:\n") for title in ("Release", "Index", "CI", "Users")]
    assert places == sorted(places)


ROWS = [("foo-1.0-cp312", "cu128", "needs a driver for CUDA 12.8 or newer, and this machine has none"), ("b", "", "x")]


def test_a_table_fits_where_it_can() -> None:
    wide = layout.table(("wheel", "variant", "why"), ROWS)
    assert click.unstyle(wide).splitlines()[2] == "b                       x"
    for width in (80, 60, 30):
        lines = click.unstyle(layout.table(("wheel", "variant", "why"), ROWS, width=width)).splitlines()
        assert max(map(len, lines)) <= width
        assert any("foo-1.0-cp312" in line for line in lines)


def test_columns_without_cells_are_left_out() -> None:
    assert click.unstyle(layout.table(("a", "b", "c"), [("x", "", "y")])) == "a  c\nx  y"


def test_names_of_one_release_are_shortened() -> None:
    names = ["foo-1.0-py3-none-any.whl", "foo-1.0-py3-none-any-cu128.whl", "foo-1.0.tar.gz"]
    assert layout.short_names(names) == ["py3-none-any", "py3-none-any-cu128", "foo-1.0.tar.gz"]
    assert layout.short_names([*names, "bar-1.0-py3-none-any.whl"])[0] == names[0]


def test_one_line_shows_all_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr(console, "_DELAY", 0.0)
    reporter = console.ConsoleReporter()
    with reporter.track("one.whl", 100) as one, reporter.track("two.whl", 300) as two:
        one(100)
        two(100)
        assert console._LINE.bar is not None
        [task] = console._LINE.bar[0].tasks
        assert (task.description, task.completed, task.total) == ("two.whl and 1 more", 200, 400)
    assert console._LINE.bar is None


def test_an_error_breaks_between_words_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "foo-1.0-cp312-cp312-manylinux_2_28_x86_64-cu128.whl"
    console.say("error", f"{name} has no METADATA", "build it again")
    assert click.unstyle(capsys.readouterr().err) == f"error: {name} has no METADATA\n hint: build it again\n"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    console.say("error", f"{name} has no METADATA\nnor RECORD")
    console.ConsoleReporter().note(f"{name} was read by its own directory")
    assert click.unstyle(capsys.readouterr().err) == (
        f"error: {name}\n  has no METADATA\n  | nor RECORD\n{name} was read\n  by its own directory\n"
    )


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "xterm")])
def test_there_is_no_colour_where_none_is_wanted(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    console.say("error", "it is wrong")
    assert ("\x1b[" in capsys.readouterr().err) is (value == "xterm")


def test_a_message_longer_than_anybody_reads_is_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("error", "x" * 1_000_000)
    assert len(capsys.readouterr().err) < 3_000
