"""The providers that are known: those of this package, and those of installed distributions.

A distribution adds one by the entry point group `variant_publish.providers`; nothing is ever fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.variants_json import Provider
from variant_publish.model.ordering import Supported
from variant_publish.model.variant import Properties, Property
from variant_publish.providers.aarch64 import Arm
from variant_publish.providers.abi_dependency import AbiDependency
from variant_publish.providers.amd import Amd
from variant_publish.providers.base import Values, Variable, VariantProvider
from variant_publish.providers.intel import Intel
from variant_publish.providers.nvidia import Nvidia
from variant_publish.providers.tpu import Tpu
from variant_publish.providers.x86_64 import X86

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "variant_publish.providers"

BUILTIN: tuple[VariantProvider, ...] = (X86(), Arm(), Nvidia(), Amd(), Intel(), Tpu(), AbiDependency())

KNOWN_PROVIDERS: Mapping[str, Provider] = {provider.namespace: provider.metadata for provider in BUILTIN}
"""What `variants.json` says of the providers of this package (PEP 850)."""

OTHER_DRIVERS = ("libascendcl",)
"""Libraries of drivers whose hardware has no provider here."""

P = ParamSpec("P")
T = TypeVar("T")


@cache
def providers() -> tuple[VariantProvider, ...]:
    """Return every provider, those of this package first.

    Raises VariantPublishError where an installed distribution has a broken one.
    """
    found = list(BUILTIN)
    for entry in _entries():
        provider = _loaded(entry)
        if any(other.namespace == provider.namespace for other in found):
            raise _broken(entry, f"its namespace {provider.namespace!r} has a provider already")
        found.append(provider)
    return tuple(found)


def find(namespace: str) -> VariantProvider | None:
    """Return the provider of a namespace; None where there is none. Those of this package need no loading."""
    own = next((one for one in BUILTIN if one.namespace == namespace), None)
    return own or next((one for one in providers() if one.namespace == namespace), None)


def is_driver(library: str) -> bool:
    """Return whether a library, as a binary needs it, comes with a driver: libcuda.so.1, nvcuda.dll."""
    stem = library.removesuffix(".dll").partition(".so")[0]
    return stem in OTHER_DRIVERS or any(stem in provider.drivers for provider in providers())


def vendored() -> tuple[str, ...]:
    """Return the namespaces that today's uv evaluates by itself."""
    return tuple(sorted(provider.namespace for provider in BUILTIN if provider.vendored is not None))


def find_variable(name: str) -> Variable | None:
    """Return the selector variable of a name; None where no provider has it."""
    return _variables(providers()).get(name)


def variables() -> tuple[Variable, ...]:
    """Return the selector variables of all providers."""
    return tuple(_variables(providers()).values())


@cache
def _variables(providers: tuple[VariantProvider, ...]) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for provider in providers:
        for item in provider.variables:
            found.setdefault(item.name, item)
    return found


def properties_of_word(word: str) -> tuple[Property, ...]:
    """Return the properties that a well-known word stands for (`cu128`, `x86_64_v3`, `gfx942`, `torch2_9`), or ()."""
    own = next(filter(None, (provider.properties_of(word) for provider in BUILTIN)), ())
    return own or next(filter(None, (asked(one, one.properties_of, word) for one in providers())), ())


def properties_of_words(words: Iterable[str]) -> Properties:
    """Return the properties of all words; empty where one of them is not known."""
    found = [properties_of_word(word) for word in words]
    return Properties(tuple(item for items in found for item in items)) if all(found) else Properties()


def exist_on(properties: Properties, platforms: Iterable[str]) -> bool:
    """Return whether there is the hardware that the properties need on machines of one of the platform tags."""
    needed = [provider for namespace in properties.namespaces if (provider := find(namespace))]
    return any(platform == "any" or all(one.exists_on(platform) for one in needed) for platform in platforms)


def platforms_of(properties: Properties, platforms: tuple[str, ...]) -> tuple[str, ...]:
    """Return the platforms with the hardware that the properties need; all of them where none has it."""
    return tuple(platform for platform in platforms if exist_on(properties, (platform,))) or platforms


def tags_of(name: str) -> tuple[str, ...]:
    """Return the extra tags that a variant's name stands for: itself, or for `cu128.torch2.9` one for each word."""
    found, rest = [], name
    while rest and "." in name:
        parts = rest.split(".")
        ends = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        word = next((text for text in ends if properties_of_word(text)), None)
        if word is None:
            return (name.replace(".", "_"),)
        found.append(word.replace(".", "_"))
        rest = rest[len(word) + 1 :]
    return tuple(found) or (name,)


def detected(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the selector variables on this machine."""
    result: dict[str, str] = {}
    for provider in providers():
        result |= asked(provider, provider.detect, environ)
    return result


def supported_by(values: Values) -> Supported:
    """Return the supported properties (PEP 850) of a machine with these values, by namespace."""
    found = {provider.namespace: asked(provider, provider.supported, values) for provider in providers()}
    return {namespace: features for namespace, features in found.items() if features}


def asked(provider: VariantProvider, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a method of a provider returns; raise VariantPublishError where the code of a third party fails."""
    try:
        return method(*args, **kwargs)
    except VariantPublishError:
        raise
    except Exception as error:
        if provider in BUILTIN:
            raise
        raise VariantPublishError(
            f"the provider of {provider.namespace} ({type(provider).__module__}) failed: {error!r}",
            hint="report it to whoever wrote it, or uninstall its distribution",
        ) from error


def _entries() -> list[EntryPoint]:
    from importlib.metadata import entry_points

    return sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))


def _loaded(entry: EntryPoint) -> VariantProvider:
    try:
        found = entry.load()
        provider = found() if isinstance(found, type) else found
        if not isinstance(provider, VariantProvider):
            raise TypeError(f"{entry.value} is no VariantProvider")
        Property(provider.namespace, "feature", "value")
    except (UsageError, Exception) as error:
        raise _broken(entry, str(error) or type(error).__name__) from error
    return provider


def _broken(entry: EntryPoint, why: str) -> VariantPublishError:
    owner = entry.dist.name if entry.dist is not None else "an installed distribution"
    return VariantPublishError(
        f"the provider {entry.name!r} of {owner} cannot be used: {why}",
        hint=f"correct or uninstall {owner}; it is an entry point of the group {GROUP}",
    )
