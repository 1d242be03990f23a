"""Whether a wheel that was chosen once fits a machine."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace
from packaging.version import Version

from variant_publish.formats.installed import InstalledVariant
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.providers.base import NONE
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles

_SHOWN = 4


def misfit(record: InstalledVariant, machine: Machine) -> str | None:
    """Return why the machine cannot use a recorded wheel; None where it can."""
    for variable, values in record.needs.items():
        here = machine.value(variable)
        if here not in values and not variable.startswith("abi_"):
            more = f" or {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
            wanted = " or ".join(values[:_SHOWN]) or NONE
            return f"{variable} is {here or 'not known'} here, and it needs {wanted}{more}"
    return None if record.metadata is None else label_misfit(record.metadata, machine)


def label_misfit(metadata: VariantsMetadata, machine: Machine) -> str | None:
    """Return why the machine cannot use a labelled wheel, by what it says of itself; dependencies are not looked at."""
    here = replace(machine, abi={**_dependencies(metadata), **machine.abi})
    for dialect, data in SelectorFiles.of(metadata).files.items():
        found = dialect.rank(data, here)(tuple(metadata.variants))
        return found if isinstance(found, str) else None
    return None


def stale_abi(abi: Mapping[str, str], installed: Mapping[str, Version]) -> str | None:
    """Return which dependency was replaced by another version than the wheel was built against; None where none was."""
    for name, prefix in abi.items():
        here = installed.get(name.replace("_", "-"))
        if here is None or not f"{here.public}.".startswith(f"{prefix}."):
            return f"it is built against {name} {prefix}, and {name} {here or 'which is not installed'} is here"
    return None


def _dependencies(metadata: VariantsMetadata) -> dict[str, str]:
    spaces = [space for space, provider in metadata.providers.items() if provider.builtin is not None]
    return {
        item.feature: item.value
        for properties in metadata.variants.values()
        for item in properties.items
        if item.namespace in spaces
    }
