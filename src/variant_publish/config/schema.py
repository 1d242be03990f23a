"""The JSON Schema of `[tool.variant-publish]`, generated from the tables that read it.

Draft 7, which editors know: every keyword in use means the same in 2020-12. What a schema cannot say (that a variant's
platform is one of the matrix, that a tag has legal characters) is for `Config` to say.
"""

from __future__ import annotations

import ast
import inspect
from typing import Any

import msgspec

from variant_publish.config import tables
from variant_publish.config.tables import TABLE, Tables

ID = "https://json.schemastore.org/partial-variant-publish.json"
"""Where SchemaStore keeps the schemas of such tables; some readers resolve no other kind of address."""
DRAFT = "http://json-schema.org/draft-07/schema#"

_REFERENCE = "#/definitions/{name}"


def schema() -> dict[str, Any]:
    """Return the schema of the table, for a file of its own or below `tool.variant-publish` of a pyproject.toml.

    Titles are the dotted names of the tables' kinds; descriptions are the docstrings of tables and keys.
    """
    (_, components) = msgspec.json.schema_components([Tables], ref_template=_REFERENCE)
    for name, table in components.items():
        kind = getattr(tables, name)
        table["description"] = inspect.cleandoc(kind.__doc__ or "")  # Python 3.13 does it by itself
        if issubclass(kind, msgspec.Struct):
            _describe(table, kind)
    whole = components.pop(Tables.__name__)
    whole["title"] = TABLE
    result = {"$schema": DRAFT, "$id": ID, **whole, "definitions": dict(sorted(components.items()))}
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(result))  # tuples are lists, as in JSON
    return plain


def get_schema(tool: str = "") -> dict[str, Any]:
    """Return the schema as the entry point `validate_pyproject.tool_schema` hands it to validate-pyproject."""
    return schema()


def _describe(table: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    table["title"] = kind.__name__.removesuffix("Table")
    texts = key_texts(kind)
    table["properties"] = {key: _key(value, texts.get(key, "")) for key, value in table["properties"].items()}


def _key(value: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the schema of one key: TOML has no null, and draft 7 reads nothing beside a $ref."""
    if "anyOf" in value:
        [only] = [option for option in value["anyOf"] if option != {"type": "null"}]
        value = {**only, **{name: item for name, item in value.items() if name != "anyOf" and item is not None}}
    if "$ref" in value:
        value = {"allOf": [{"$ref": value["$ref"]}]}
    return {**value, "description": text} if text else value


def key_texts(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Return the text that stands below each key of a table in the source, inherited ones too."""
    names = {field.name: field.encode_name for field in msgspec.structs.fields(kind)}
    found: dict[str, str] = {}
    for owner in kind.__mro__[: kind.__mro__.index(msgspec.Struct)]:
        found = {**_texts_below(owner), **found}
    return {names[field]: text for field, text in found.items() if field in names}


def _texts_below(owner: type) -> dict[str, str]:
    [node] = ast.parse(inspect.getsource(owner)).body
    assert isinstance(node, ast.ClassDef)  # noqa: S101  (it is the source of a class)
    found = {}
    for line, below in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
            and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        ):  # fmt: skip
            found[line.target.id] = inspect.cleandoc(str(below.value.value))
    return found
