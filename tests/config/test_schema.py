"""The JSON Schema says what `Config` says, key for key."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator
from validate_pyproject.api import Validator
from validate_pyproject.errors import ValidationError
from validate_pyproject.plugins import PluginWrapper

from variant_publish.config import tables as config
from variant_publish.config.configuration import Config
from variant_publish.config.schema import get_schema, key_texts, schema
from variant_publish.errors import UsageError

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft7Validator(schema())


def key_of(error: Any) -> str:
    """Spell the place of a schema's error as our messages spell it."""
    path = "tool.variant-publish"
    for part in error.absolute_path:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    if error.validator == "additionalProperties":
        path += "." + re.findall(r"'([^']*)' was unexpected", error.message)[0]
    return path


def test_it_is_a_schema() -> None:
    Draft7Validator.check_schema(schema())


def test_the_published_file_is_current() -> None:
    published = json.loads((ROOT / "docs" / "variant-publish.schema.json").read_text("utf-8"))
    assert published == schema(), "run: variant-publish config schema > docs/variant-publish.schema.json"


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/configure.md"])
def test_the_configuration_of_a_page_passes(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    found = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)]
    ours = [block["tool"]["variant-publish"] for block in found if "tool" in block]
    assert ours
    for table in ours:
        VALIDATOR.validate(table)


@pytest.mark.parametrize(
    "text",
    [
        "dialect = []",
        'dialects = ["minus"]',
        "priority = 1",
        "matrix.python = 'cp312'",
        "matrix.skip = [{ python = 'cp312' }]",
        "matrix.skip = [{ reason = 'x', os = 'y' }]",
        "variants.cu128.propertys = []",
        "variants.cu128.requires.add = [1]",
        "variants.cu128.rename = { name = 'x' }",
        "generic.drop-local-version = 'yes'",
        "selectors.cuda.requires = []",
        "selectors.cuda.wheel_tags.x = 'y'",
        "providers.x.optional = 'no'",
        "upload.extra_index = 'x'",
        "upload.large = 100",
        "abi.indexes.pypi = 1",
        "check.ignore = [{ id = 'VP1' }]",
    ],
)
def test_a_wrong_configuration_fails_at_the_same_key(text: str) -> None:
    table = tomllib.loads(text)
    [error] = VALIDATOR.iter_errors(table)
    with pytest.raises(UsageError) as raised:
        Config.parse(text, "own.toml")
    ours = raised.value.message.removeprefix("own.toml: ").split(": ")[0].split(" is ")[0]
    # msgspec spells any key of an open table "[...]"
    assert re.fullmatch(re.escape(ours).replace(re.escape("[...]"), r"(\.[\w-]+|\[\d+\])"), key_of(error)), (
        ours,
        error,
    )


def test_every_key_says_what_it_is() -> None:
    tables = [kind for kind in vars(config).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    silent = [
        f"{kind.__name__}.{field.encode_name}"
        for kind in tables
        for field in msgspec.structs.fields(kind)
        if field.encode_name not in key_texts(kind)
    ]
    assert silent == []
    definitions = schema()["definitions"]
    assert all(table["description"] for name, table in definitions.items() if name.endswith("Table"))


@pytest.mark.slow
def test_validate_pyproject_finds_it() -> None:
    points = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    value = points["validate_pyproject.tool_schema"]["variant-publish"]
    assert EntryPoint("variant-publish", value, "").load() is get_schema
    project = {"name": "foo", "version": "1"}
    validate = Validator(extra_plugins=[PluginWrapper("variant-publish", get_schema)])
    validate({"project": project, "tool": {"variant-publish": {"dialects": ["plus"]}}})
    with pytest.raises(ValidationError, match=r"tool.variant-publish` must not contain .*'dialect'"):
        validate({"project": project, "tool": {"variant-publish": {"dialect": ["plus"]}}})
