"""The library's public face: what the commands do, as functions that return results and never print.

`retagging`, `building`, `publishing` (metadata, upload), `checking`, `staging`, `stubs`, `indexing`, `promoting` and
`starting` are for maintainers; `installing` (select, lock, install, doctor) and `serving` (serve, run) are for users
of a release; `values` and `machines` have what all of them take and return. Everything is here, as `api.retag` or
`api.Machine`. A part is imported when one of its names is used, so that retagging does not wait for what installs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_PARTS = (
    "values", "retagging", "installing", "publishing", "building", "checking", "staging", "stubs", "indexing",
    "promoting", "starting", "serving", "machines",
)  # fmt: skip
"""In the order of what their import costs."""

if TYPE_CHECKING:
    from variant_publish.api.building import *  # noqa: F403
    from variant_publish.api.checking import *  # noqa: F403
    from variant_publish.api.indexing import *  # noqa: F403
    from variant_publish.api.installing import *  # noqa: F403  (its __all__ is the list)
    from variant_publish.api.machines import *  # noqa: F403
    from variant_publish.api.promoting import *  # noqa: F403
    from variant_publish.api.publishing import *  # noqa: F403
    from variant_publish.api.retagging import *  # noqa: F403
    from variant_publish.api.serving import *  # noqa: F403
    from variant_publish.api.staging import *  # noqa: F403
    from variant_publish.api.starting import *  # noqa: F403
    from variant_publish.api.stubs import *  # noqa: F403
    from variant_publish.api.values import *  # noqa: F403
else:  # a type checker that saw this would believe in any name

    def __getattr__(name: str) -> Any:
        if not name.startswith("_"):
            for part in _PARTS:
                module = import_module(f"{__name__}.{part}")
                if name in module.__all__:
                    return getattr(module, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(name for part in _PARTS for name in import_module(f"{__name__}.{part}").__all__)
