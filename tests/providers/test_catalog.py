from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cli import run
from support.entry_points import distribution
from variant_publish.errors import VariantPublishError
from variant_publish.providers import catalog, selector_functions

TOY = """
from variant_publish.formats.variants_json import Provider
from variant_publish.providers.base import VariantProvider

class Toy(VariantProvider):
    namespace = "{namespace}"
    title = "toy"
    features = ("size",)
    metadata = Provider(requires=("toy",))

    def detect(self, environ):
        {detect}
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    catalog.providers.cache_clear()
    yield
    catalog.providers.cache_clear()
    for name in [name for name in sys.modules if name.startswith("broken_")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("module", "text", "why"),
    [
        ("broken_import", "import nowhere_at_all", "nowhere_at_all"),
        ("broken_kind", "Toy = 1", "is no VariantProvider"),
        ("broken_name", TOY.format(namespace="To-Y", detect="return {}"), "To-Y"),
        ("broken_twice", TOY.format(namespace="nvidia", detect="return {}"), "has a provider already"),
        ("broken_class", "class Toy: pass", "is no VariantProvider"),
    ],
)
def test_a_broken_entry_point_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, text: str, why: str
) -> None:
    distribution(tmp_path, monkeypatch, module, text, {"toy": f"{module}:Toy"})
    with pytest.raises(VariantPublishError, match=why) as error:
        catalog.providers()
    assert module.replace("_", "-") in str(error.value.hint)
    result = run("host")
    assert (result.code, "Traceback" in result.stderr) == (1, False)


def test_a_detection_that_fails_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TOY.format(namespace="toy", detect="return 1 / 0")
    distribution(tmp_path, monkeypatch, "broken_later", text, {"toy": "broken_later:Toy"})
    with pytest.raises(VariantPublishError, match="provider of toy"):
        catalog.detected({})


def test_words_of_this_package_load_no_one_elses_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(tmp_path, monkeypatch, "broken_import", "import nowhere_at_all", {"toy": "broken_import:Toy"})
    assert [str(item) for item in catalog.properties_of_word("x86_64_v3")] == ["x86_64 :: level :: v3"]


def test_words_that_are_not_all_known_say_nothing() -> None:
    assert not catalog.properties_of_words(["cu128", "fast"])
    assert len(catalog.properties_of_words(["cu128", "v3"]).items) == 2


def test_every_provider_finds_its_own_entry_point() -> None:

    for variable in catalog.variables():
        assert isinstance(getattr(selector_functions, variable.name)(), str)


def test_no_two_providers_share_a_namespace_a_variable_or_a_word() -> None:
    names = [provider.namespace for provider in catalog.BUILTIN]
    variables = [variable.name for variable in catalog.variables()]
    assert (len(set(names)), len(set(variables))) == (len(names), len(variables))
    for word in ("cu128", "sm_90", "gfx942", "rocm64", "tpu", "xpu", "bmg", "x86_64_v3", "v2", "armv8_2a", "torch2_9"):
        assert sum(bool(provider.properties_of(word)) for provider in catalog.BUILTIN) == 1, word
