"""Write the reference from the code when the site is built.

At build time and not committed: a page that is never stored cannot be out of date. `docs/reference/generated` is
ignored by git; a file is only touched where its text changed, so that Sphinx reads little again.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import click
from sphinx.application import Sphinx

from variant_publish import api
from variant_publish.archive.dist_info import ABI_REQUIRES
from variant_publish.check.engine import rule_pages as pages
from variant_publish.check.engine.registry import RULES
from variant_publish.cli.main import COMMANDS, group
from variant_publish.config.configuration import Config
from variant_publish.config.schema import schema
from variant_publish.dialects import wheel_name
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats import host_file, master, selector_toml, variants_json
from variant_publish.formats.host_file import HostFile
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.variants_json import WHEEL_FILE, VariantsMetadata
from variant_publish.model import requirement
from variant_publish.release.selectors import derive

_CONTEXT = {"terminal_width": 88}
_PLURAL = {"text": "texts", "table": "tables"}


def _complete_modules() -> None:
    """Import what modules import for type checkers only: signatures of structs are made from the names themselves."""
    dir(api)  # imports all of it
    for module in [one for name, one in sys.modules.items() if name.startswith("variant_publish.") and one is not api]:
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                for part in node.body:
                    assert isinstance(part, ast.ImportFrom)  # noqa: S101  (no module has another import there)
                    found = {one.asname or one.name: resolve_name(f"{part.module}.{one.name}") for one in part.names}
                    vars(module).update(found)


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx write the pages before it looks for sources."""
    app.connect("builder-inited", write)
    _complete_modules()
    return {"parallel_read_safe": True}


def write(app: Sphinx) -> None:
    """Write every generated page that changed, and remove what is no longer made."""
    folder = Path(app.srcdir) / "reference" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "commands.md": _commands(),
        "configuration.md": _configuration(),
        "checks.md": _checks(),
        "formats.md": _formats(),
        **{f"command-{name}.md": _command_page(name) for name in COMMANDS},
    }
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
    for path in folder.glob("*.md"):
        if path.name not in texts:
            path.unlink()


def _commands() -> str:
    rows = [f"| [`{name}`](command-{name}.md) | {text} |" for name, text in COMMANDS.items()]
    entries = [f"command-{name}" for name in COMMANDS]
    codes = "Exit codes: 0 for success, 1 for findings or a failure, 2 for wrong use."
    return _page("Commands", codes,
                 "| command | |", "| --- | --- |", *rows, "", *_toctree(entries))  # fmt: skip


def _command_page(name: str) -> str:
    command = group.get_command(click.Context(group), name)
    assert command is not None  # noqa: S101  (it is one of COMMANDS)
    lines = list(_command(command, f"variant-publish {name}", "#"))
    if isinstance(command, click.Group):
        for sub, inner in command.commands.items():
            lines += ["", *_command(inner, f"variant-publish {name} {sub}", "##")]
    return "\n".join(lines) + "\n"


def _command(command: click.Command, full: str, heading: str) -> Iterator[str]:
    context = click.Context(command, info_name=full, **_CONTEXT)  # type: ignore[arg-type]
    yield from (f"{heading} `{full}`", "")
    yield from ("```text", command.get_usage(context).removeprefix("Usage: "), "```", "")
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if not paragraph.startswith("\b"):
            yield from (" ".join(paragraph.split()), "")
            continue
        lines = inspect.cleandoc(paragraph.removeprefix("\b\n")).splitlines()
        if lines[0] in ("Example:", "Examples:"):
            yield from (f"{heading}# {lines[0].removesuffix(':')}", "", "```sh")
            yield from (*(line.strip() for line in lines[1:]), "```", "")
        else:
            yield from ("```text", *lines, "```", "")
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if options:
        yield from (f"{heading}# Options", "", "| option | |", "| --- | --- |")
        yield from (_option(option, context) for option in options)


def _option(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag or option.count else f" `{option.make_metavar(context)}`"
    shown = [option.help or ""]
    if option.show_default and option.default:
        shown.append(f"Default: `{option.default}`.")
    if option.multiple and "repeat" not in (option.help or "").lower():
        shown.append("May be repeated.")
    row = f"{names}{value}", " ".join(filter(None, shown))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _configuration() -> str:
    whole = schema()
    lines = [
        "`[tool.variant-publish]` in `pyproject.toml`, or the same keys at the top of a file of their own",
        "(`--config FILE`). The same as [JSON Schema](../../variant-publish.schema.json), for editors.",
        "",
    ]
    queue = [("[tool.variant-publish]", whole)]
    done: set[str] = set()
    while queue:
        path, table = queue.pop(0)
        lines += [f"## `{path}`", "", table["description"].replace("\n", " "), "",
                  "| key | type | default | |", "| --- | --- | --- | --- |"]  # fmt: skip
        for key, value in table["properties"].items():
            kind, inner = _kind(value)
            default = f"`{_toml(value['default'])}`" if value.get("default") not in (None, {}, []) else ""
            default = "required" if key in table.get("required", ()) else default
            lines.append(f"| `{key}` | {kind} | {default} | {value.get('description', '')} |")
            if inner and (place := _place(path, key, value)) not in done:
                done.add(place)
                queue.append((place, whole["definitions"][inner]))
        lines.append("")
    return _page("Configuration", *lines)


def _place(path: str, key: str, value: dict[str, Any]) -> str:
    """Return the header of a table, as TOML has it."""
    named = ".NAME" if "additionalProperties" in value else ""
    inner = f"[{path.strip('[]')}.{key}{named}]"
    return f"[{inner}]" if value.get("type") == "array" else inner


def _kind(value: dict[str, Any]) -> tuple[str, str | None]:
    """Return the type of a value in words, and the table that it holds, if it does."""
    if "allOf" in value or "$ref" in value:
        name = (value["allOf"][0] if "allOf" in value else value)["$ref"].rpartition("/")[2]
        definition = schema()["definitions"][name]
        if "enum" in definition:
            return ", ".join(f"`{_toml(item)}`" for item in definition["enum"]), None
        return "table", name
    if "enum" in value:
        return ", ".join(f"`{_toml(item)}`" for item in value["enum"]), None
    if value.get("type") == "array":
        kind, inner = _kind(value["items"])
        return f"list of {_PLURAL.get(kind, kind)}", inner
    if value.get("type") == "object":
        if "additionalProperties" not in value or value["additionalProperties"] is True:
            return "table", None
        kind, inner = _kind(value["additionalProperties"])
        return f"{_PLURAL.get(kind, kind)} by name", inner
    if "anyOf" in value:
        return " or ".join(_kind(option)[0] for option in value["anyOf"]), None
    return {"boolean": "true or false", "integer": "number"}.get(value.get("type", ""), "text"), value.get("properties")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _checks() -> str:
    rules = sorted(RULES, key=lambda rule: rule.id)
    rows = [f"| [{rule.id}](../../checks/{rule.id}.md) | {rule.severity.value} | {rule.title} |" for rule in rules]
    unbuilt = pages.not_built()
    rows += [f"| [{id_}](../../checks/{id_}.md) | not built | {title} |" for id_, title in unbuilt.items()]
    entries = [f"../../checks/{id_}" for id_ in sorted([*(rule.id for rule in rules), *unbuilt])]
    assert all(pages.explain(rule.id) for rule in rules)  # noqa: S101  (each rule has a page)
    return _page("Checks", "What `check` proves. `check --explain ID` prints the same pages.", "",
                 "| id | severity | |", "| --- | --- | --- |", *rows, "", *_toctree(entries))  # fmt: skip


_EXAMPLE = """
dialects = ["plus", "pep825"]
abi.requires = ["numpy+pypi==2.0.0"]
variants.x86_64_v3.properties = ["x86_64 :: level :: v3"]
"""


def _formats() -> str:
    """Show what the code writes for one small configuration, and what each module says of its format."""
    config = Config.parse(_EXAMPLE, "example.toml")
    [variant] = config.variants.values()
    plain = WheelName.parse("foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl")
    names = [plain, *(plain.with_variant(dialect, dialect.words_of(variant)) for dialect in config.dialects)]
    metadata = VariantsMetadata(config.namespaces, {variant.label: variant.properties}, config.providers)
    selector = derive([variant], config.namespaces, {})
    machine = HostFile("3.12", "manylinux_2_28_x86_64", {"x86_64_version": "x86-64-v3"}, {})
    parts = [
        ("Configuration", None, "toml", _EXAMPLE.strip()),
        ("File names", wheel_name, "text", "\n".join(map(str, names))),
        (
            f"`*.dist-info/{WHEEL_FILE}` and `{PEP825.file_name('foo', '1.0')}`",
            variants_json,
            "json",
            metadata.dumps(),
        ),
        (f"`{PLUS.file_name('foo', '1.0')}`", selector_toml, "toml", selector.dumps()),
        (f"`*.dist-info/{ABI_REQUIRES}`", requirement, "text", "\n".join(map(str, config.pins))),
        ("A stored machine (`host --save`)", host_file, "toml", machine.dumps()),
        ("The master of a project, `NAME/index.json`", master, "json", ProjectIndex("foo").dumps()),
    ]
    lines = ["What the code writes for one small configuration. Wire keys live in `variant_publish.formats`.", ""]
    for title, module, language, text in parts:
        lines += [f"## {title}", ""]
        if module is not None:
            lines += [*inspect.cleandoc(module.__doc__ or "").splitlines(), ""]
        lines += [f"```{language}", text.rstrip("\n"), "```", ""]
    return _page("Formats", *lines)


def _toctree(entries: list[str]) -> list[str]:
    return ["```{toctree}", ":hidden:", "", *entries, "```"]


def _page(title: str, *lines: str) -> str:
    return "\n".join((f"# {title}", "", *lines)) + "\n"
