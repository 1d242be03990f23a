"""What every provider has: the properties of one namespace, and the selector variables that say what a machine has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from variant_publish.formats.variants_json import Provider
from variant_publish.model.project_name import canonicalize_name
from variant_publish.model.variant import Property
from variant_publish.providers.platforms import is_elsewhere

if TYPE_CHECKING:
    from variant_publish.binary.content import Buffer, Found
    from variant_publish.binary.evidence import Evidence
    from variant_publish.binary.image import Image

NONE = "none"
"""The value of a variable that asks for something this machine does not have: a driver, another CPU's level."""

Values = Mapping[str, str]
"""What a machine has: the name of a selector variable -> its value."""

Features = Mapping[str, Sequence[str]]
"""What a machine supports in one namespace: feature (most important first) -> values, best first."""


class Variable(msgspec.Struct, frozen=True):
    """A selector variable: its value says which values of `features` a machine supports.

    `parse` returns a value as it is compared, or None for what is none; `known` are the values, lowest first, without
    "none"; `order` is a sort key where values have an order, and `is_open` says that larger ones than the known may
    come. `listed` are the values of a selector file, by default the known ones. `lowest` is the value where the
    provider is denied. `needs` names a variable without which this one says nothing. `requires` and `function` are
    what a selector file names to evaluate it.
    """

    name: str
    features: tuple[str, ...]
    parse: Callable[[str], str | None]
    known: Callable[[], Sequence[str]]
    hint: str
    order: Callable[[str], Any] | None = None
    is_open: bool = False
    listed: Callable[[], Sequence[str]] | None = None
    lowest: str = NONE
    needs: str | None = None
    is_always_told: bool = False
    requires: tuple[str, ...] = ("variant-publish",)
    function: str = ""

    @property
    def entry_point(self) -> str:
        """Return the function that a selector file names."""
        return self.function or f"variant_publish.providers.selector_functions:{self.name}"

    @property
    def table_values(self) -> tuple[str, ...]:
        """Return the values that a selector file lists, "none" first."""
        return (NONE, *(self.listed or self.known)())


MOST_MACHINES = 50_000
"""How many machines a provider distinguishes; the properties of real releases distinguish a few hundred."""


class VariantProvider:
    """One kind of hardware, or whatever else wheels are chosen by: everything that is specific to its namespace.

    A third party subclasses it, and names an instance in the entry point group `variant_publish.providers`.
    """

    namespace: ClassVar[str]
    title: ClassVar[str]
    """What messages call it: "NVIDIA driver"."""
    features: ClassVar[tuple[str, ...]]
    """The features, most important first."""
    metadata: ClassVar[Provider]
    """What `variants.json` says of the provider (PEP 850)."""
    vendored: ClassVar[str | None] = None
    """The version of the provider that today's uv carries in itself; None where it has none."""
    is_resolved: ClassVar[bool] = False
    """Whether a view leaves the choice to the installer's resolver, so that no client has to know the provider."""
    variables: ClassVar[tuple[Variable, ...]] = ()
    drivers: ClassVar[tuple[str, ...]] = ()
    """The libraries that come with a driver, without endings: a binary that needs one does not load without it."""
    systems: ClassVar[tuple[str, ...]] = ("linux", "win")
    """Where there is such hardware: what a platform tag contains."""
    packages: ClassVar[tuple[str, ...]] = ()
    """Words in the names of distributions that bring its kernels."""
    names: ClassVar[bytes] = b""
    """The names of its libraries, which small binaries are searched for: what loads them by name is small."""
    code_feature: ClassVar[str | None] = None
    """The feature whose values stand for device code in binaries; a wheel has several of them side by side."""
    runtime: ClassVar[str] = ""
    """The runtime that binaries of it need: "CUDA"."""
    runtime_feature: ClassVar[str | None] = None
    """The feature that claims a version of the runtime."""

    def properties_of(self, word: str) -> tuple[Property, ...]:
        """Return the properties that a well-known word stands for; empty for any other word."""
        return ()

    def detect(self, environ: Mapping[str, str]) -> Values:
        """Return the values of the variables on this machine; what is not there is left out, or "none"."""
        return {}

    def assumed(self, platform: str) -> Values:
        """Return the values to assume on a platform that is not this machine's: no device, the lowest CPU."""
        return {item.name: item.lowest for item in self.variables} if is_elsewhere(platform) else {}

    def supported(self, values: Values) -> Features:
        """Return the supported features of a machine with these values; by default what its variables have."""
        found = ((feature, values.get(item.name, NONE)) for item in self.variables for feature in item.features)
        return {feature: (value,) for feature, value in found if value != NONE}

    def variables_of(self, items: Iterable[Property]) -> tuple[Variable, ...]:
        """Return the variables that tell these properties of the namespace."""
        return self.variables

    def exists_on(self, platform: str) -> bool:
        """Return whether there is such hardware on machines of a platform tag."""
        return any(system in platform for system in self.systems)

    def compiler_flags(self, item: Property) -> str:
        """Return the flags of GCC and Clang that build for a property of the namespace; "" where there are none."""
        return ""

    def machines(self, items: Iterable[Property], platform: str) -> Sequence[Values]:
        """Return the values of machines that tell these properties of the namespace apart on a platform."""
        own = tuple(items)
        if not self.exists_on(platform):
            return [{}]
        combinations: list[Values] = [{}]
        for variable in self.variables_of(own):
            if wanted := [item.value for item in own if item.feature in variable.features]:
                found = self.told_apart(variable, wanted)
                every = (
                    values if values.get(variable.needs or "") == NONE else {**values, variable.name: value}
                    for values in combinations
                    for value in (found[:1] if values.get(variable.needs or "") == NONE else found)
                )
                combinations = list(islice(every, MOST_MACHINES))
        return combinations

    def told_apart(self, variable: Variable, wanted: Iterable[str]) -> Sequence[str]:
        """Return the values of a variable that tell wanted values of its features apart."""
        return (NONE, *(value for value in dict.fromkeys(wanted) if variable.parse(value) == value))

    @property
    def patterns(self) -> Sequence[bytes]:
        """Return what the data of binaries is searched for: each begins with given bytes, and matches at most 128."""
        return ()

    def evidence(self, data: Buffer, image: Image, found: Found) -> Evidence | None:
        """Return what a binary shows of the hardware: its device code, and the runtimes that it can be for.

        `found` has the matches of each of the `patterns`, and of `names`: where they begin, and their groups.
        """
        return None

    def meets(self, claimed: str, found: str) -> bool:
        """Return whether device code that was found is what a value of the code feature claims."""
        return claimed == found

    def is_value(self, code: str) -> bool:
        """Return whether a value of device code is one of the property's; of code for anything, none is."""
        return re.fullmatch("[a-z0-9_.]+", code) is not None

    def code_name(self, value: str) -> str:
        """Return what people call device code of a value: sm_90."""
        return value

    def claimed_runtime(self, values: Sequence[str]) -> int | None:
        """Return the major version of the runtime that values of the runtime feature claim."""
        majors = [int(head) for value in values if (head := value.partition(".")[0]).isdigit()]
        return min(majors, default=None)

    def sentence(self, feature: str, value: str) -> str:
        """Return what a property asks of a machine, for people."""
        return f"{self.namespace} :: {feature} :: {value}"

    def here(self, feature: str, values: Values) -> str:
        """Return what a machine with these values has of a feature, for people."""
        found = next((item for item in self.variables if feature in item.features), None)
        value = NONE if found is None else values.get(found.name, NONE)
        return f"no {self.title}" if value == NONE else value

    def property(self, feature: str, value: str) -> Property:
        """Return a property of the namespace."""
        return Property(self.namespace, feature, value)

    def objection_to(self, listed: Provider) -> str:
        """Return why clients that have this provider do not take the one that a file lists for it; "" if they do.

        They compare the requirement's name, its version range with the version that they carry, and the plugin's
        module.
        """
        from packaging.requirements import Requirement

        if listed.static_properties:
            return ""
        if not (listed.requires and self.metadata.requires):
            return (
                "" if listed == self.metadata else f"{listed.builtin or ', '.join(listed.requires)} is not its provider"
            )
        name = self.metadata.requires[0]
        requirements = [Requirement(text) for text in listed.requires]
        first = requirements[0]
        is_same = len(requirements) == 1 and canonicalize_name(first.name) == name
        if not is_same or first.marker or first.extras or first.url:
            return f"they know the provider {name}, not {', '.join(listed.requires)}"
        if self.vendored is not None and not first.specifier.contains(self.vendored, prereleases=True):
            return f"they carry version {self.vendored} of {name}, which {listed.requires[0]!r} does not allow"
        default = name.replace("-", "_")  # what plugin-api is by default (PEP 850)
        if (listed.plugin_api or default) != (self.metadata.plugin_api or default):
            return f"its plugin-api is {listed.plugin_api!r}, and they know {self.metadata.plugin_api!r} only"
        return ""


def choice_of(values: Callable[[], Sequence[str]]) -> Callable[[str], str | None]:
    """Return the parser of a variable that has a few values, and "none"."""
    return lambda text: text if text in (NONE, *values()) else None
