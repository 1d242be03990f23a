"""The library's public face: what the commands do, as functions that return results and never print.

`retagging`, `building`, `publishing` (metadata, upload, promote), `checking`, `staging`, `stubs`, `indexing` and
`starting` are for maintainers; `installing` (select, lock, install, doctor) and `serving` (serve, run) are for users
of a release; `values` and `machines` have what all of them take and return. Everything is here, as `api.retag` or
`api.Machine`. A part is imported when one of its names is used, so that retagging does not wait for what installs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_PARTS = {
    "building": ("BuildOptions", "Built", "RepairOptions", "build", "buildable", "builder", "plan_matrix",
                 "repair_for", "source_configuration"),
    "checking": ("CheckOptions", "abi_range", "check", "explain_rule", "inspect", "published_release", "rules",
                 "write_summaries"),
    "indexing": ("CleanupRules", "IndexCleanup", "adopt", "clean_up", "list_files", "list_projects", "plan_cleanup",
                 "plan_removal", "remove", "set_status", "unyank", "verify", "yank"),
    "installing": ("PlannedInstall", "Request", "doctor", "evaluate", "install", "lock", "lock_universal",
                   "plan_install", "plan_locked", "read_lock", "requirement_lines", "requirements_of", "select"),
    "machines": ("Candidate", "Environment", "HostFile", "Indexes", "Machine", "Preferences", "Selection"),
    "publishing": (
        "MetadataResult", "PlannedPromotion", "metadata", "plan_promotion", "plan_upload", "promote", "upload",
    ),
    "retagging": ("ConvertOptions", "ConvertResult", "Execution", "RetagOptions", "RetagResult", "built_variants",
                  "convert", "retag", "rewrites"),
    "serving": ("ViewOptions", "run", "serve"),
    "staging": ("PlannedRelease", "StageResult", "abort_staged", "plan_staged", "release", "stage"),
    "starting": ("bucket_files", "configured", "found_in_release", "found_in_wheels", "is_well_known", "workflow"),
    "stubs": ("Stub", "StubSource", "stub"),
    "values": ("Config", "DIALECTS", "Dialect", "FailOn", "Properties", "Property", "Rename", "Reporter", "Retagged",
               "Rewrite", "SILENT", "TaggedRequirement", "UploadTable", "UsageError", "Variant",
               "VariantPublishError", "WheelName", "dialect_of", "properties_of_words", "tags_of"),
}  # fmt: skip
_PLACES = {name: part for part, names in _PARTS.items() for name in names}

if TYPE_CHECKING:
    from variant_publish.api.building import *  # noqa: F403
    from variant_publish.api.checking import *  # noqa: F403
    from variant_publish.api.indexing import *  # noqa: F403
    from variant_publish.api.installing import *  # noqa: F403
    from variant_publish.api.machines import *  # noqa: F403
    from variant_publish.api.publishing import *  # noqa: F403
    from variant_publish.api.retagging import *  # noqa: F403
    from variant_publish.api.serving import *  # noqa: F403
    from variant_publish.api.staging import *  # noqa: F403
    from variant_publish.api.starting import *  # noqa: F403
    from variant_publish.api.stubs import *  # noqa: F403
    from variant_publish.api.values import *  # noqa: F403
else:  # a type checker that saw this would believe in any name

    def __getattr__(name: str) -> Any:
        if name in _PLACES:
            return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_PLACES)
