from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import variant_publish
from variant_publish.errors import VariantPublishError
from variant_publish.formats.host_file import HostFile
from variant_publish.formats.installed import InstalledVariant
from variant_publish.formats.pylock import Lock
from variant_publish.formats.stage_state import StageState
from variant_publish.formats.summary import Summary

HOST = HostFile("3.12.1", "manylinux_2_28_x86_64", {})
JSON = [
    (Summary("foo-1.0.tar.gz", 1, "0" * 64).dumps(), Summary.parse),
    (StageState("s").dumps(), lambda text: StageState.parse(text, "s")),
    (InstalledVariant("foo", "1.0", "foo-1.0-py3-none-any.whl", "generic").dumps(), InstalledVariant.parse),
]


@pytest.mark.parametrize("version", [None, 0, 99, "1"])
@pytest.mark.parametrize(("text", "parse"), JSON, ids=["summary", "stage", "installed"])
def test_a_text_of_another_version_or_of_none_is_refused(
    text: str, parse: Callable[[str], object], version: object
) -> None:
    parse(text)
    data = json.loads(text)
    del data["schema-version"]
    with pytest.raises(VariantPublishError, match="schema-version"):
        parse(json.dumps(data if version is None else data | {"schema-version": version}))


def test_a_machine_without_a_version_is_refused_in_its_file_and_in_a_lock() -> None:
    lines = [line for line in HOST.dumps().splitlines() if not line.startswith("schema-version")]
    assert len(lines) < len(HOST.dumps().splitlines())
    with pytest.raises(VariantPublishError, match="schema-version"):
        HostFile.parse("\n".join(lines))
    lock = Lock((), HOST).dumps()
    assert Lock.parse(lock).host == HOST
    with pytest.raises(VariantPublishError, match="schema-version"):
        Lock.parse(lock.replace("schema-version = 1", ""))


_THREADS = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
import msgspec
from variant_publish.formats.typed import from_json, from_table

def made(number):
    inner = msgspec.defstruct(f"Inner{number}", [(f"a{at}", dict[str, tuple[int, ...]] | None, None) for at in range(20)])
    return msgspec.defstruct(f"Outer{number}", [(f"b{at}", inner | None, None) for at in range(20)])

def read(kind, barrier):
    barrier.wait()
    assert from_json(b'{"b0": {"a1": {"x": [1]}}, "b19": {}}', kind, ValueError).b0.a1 == {"x": (1,)}
    assert from_table({"b1": {"a2": None}}, kind, ValueError).b1.a2 is None

sys.setswitchinterval(1e-6)
with ThreadPoolExecutor(8) as pool:
    for number in range(30):
        kind, barrier = made(number), threading.Barrier(8)
        for future in [pool.submit(read, kind, barrier) for _ in range(8)]:
            future.result()
"""


def test_threads_that_meet_a_type_at_the_same_time_read_it_whole() -> None:
    done = subprocess.run([sys.executable, "-c", _THREADS], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_type_is_looked_through_by_one_thread() -> None:
    """Who reads into a type names it by `prepared`, or lets `from_json` and `from_table` do so."""
    root = Path(variant_publish.__file__).parent
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(root.rglob("*.py"))}
    bare = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path, text in texts.items()
        if "convert(" in text or "json.decode(" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and (kind := _asked_of(node)) is not None and "prepared(" not in ast.unparse(kind)
    ]
    assert bare == []


def _asked_of(call: ast.Call) -> ast.expr | None:
    """Return the type that a call of msgspec reads into; None for another call, and for one without a type."""
    name = ast.unparse(call.func)
    if name in ("msgspec.convert", "convert") and len(call.args) > 1:
        return call.args[1]
    if name.endswith(("json.decode", "json.Decoder", "toml.decode")) and name != "msgspec.json.Decoder":
        return next((item.value for item in call.keywords if item.arg == "type"), None)
    return None
