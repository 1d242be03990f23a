"""Starter files: a proposal written into pyproject.toml without touching the rest, and the files of a bucket."""

from __future__ import annotations

import json
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import tomlkit
from tomlkit.items import Table

from variant_publish import __version__
from variant_publish.build.proposal import Proposal
from variant_publish.config.configuration import provider_of
from variant_publish.config.standard import NAME as STANDARD
from variant_publish.config.standard import put, write_standard
from variant_publish.errors import UsageError
from variant_publish.templating import templates_folder

_RELEASE = "variant-publish==0.1.0"
"""What the template installs."""


def applied(document: Any, proposal: Proposal) -> str:
    """Write the proposal into a pyproject.toml (tomlkit): only keys that are not there yet; comments and order stay.

    Applying it again changes nothing.
    """
    tool = document.setdefault("tool", tomlkit.table(is_super_table=True))
    ours = tool.setdefault("variant-publish", tomlkit.table())
    is_new = "matrix" not in ours
    if proposal.python and proposal.platform:
        put(ours, ("matrix", "python"), list(proposal.python))
        put(ours, ("matrix", "platform"), list(proposal.platform))
        if is_new and proposal.skips:
            put(ours, ("matrix", "skip"), list(proposal.skips))
    if proposal.generic.old:
        put(ours, ("generic", "rename"), {"name": proposal.generic.old, "to": proposal.project})
    _apply_variants(document, ours, proposal)
    if proposal.upload:
        put(ours, ("upload",), proposal.upload)
    return tomlkit.dumps(document)


def _apply_variants(document: Any, ours: Table, proposal: Proposal) -> None:
    """Write new variants: properties and providers into the standard table, what it has no words for into ours."""
    there = {*ours.get("variants", {}), *document.get(STANDARD, {}).get("variants", {})}
    there |= {table.get("label") for table in ours.get("variants", {}).values()}
    new = {name: column for name, column in proposal.variants.items() if name not in there}
    for name, column in new.items():
        declared = ours.get("matrix", {}).get("platform", ())  # it may be older than the wheels
        # A variant without platforms is for all of them that have its hardware.
        extras = {
            ("platform",): [platform for platform in column.platform if platform in declared],
            ("tags",): list(column.tags),
            ("rename",): {"name": column.old, "to": proposal.project} if column.old else {},
            ("build", "env"): column.flags,
        }
        written = {path: value for path, value in extras.items() if value}
        if len(written) > 1:  # one line for each variant
            table = {path[0]: {path[1]: value} if len(path) > 1 else value for path, value in written.items()}
            written = {(): table}
        for path, value in written.items():
            put(ours, ("variants", name, *path), value)
    if new:
        properties = {name: column.properties for name, column in new.items()}
        namespaces = tuple(dict.fromkeys(space for own in properties.values() for space in own.namespaces))
        known = ours.get("providers", {})
        providers = {space: provider_of(space) for space in namespaces if space not in known}
        write_standard(document, namespaces, providers, properties)
        if "priority" in ours:
            ours["priority"] = list(document[STANDARD]["default-priorities"]["namespace"])


def workflow() -> str:
    """Return the workflow, which installs this tool from where it was installed here: an index, or a repository."""
    text = (templates_folder() / "starter" / "workflow.yml").read_text("utf-8")
    with suppress(PackageNotFoundError, ValueError, KeyError):
        here = json.loads(distribution("variant-publish").read_text("direct_url.json") or "{}")
        source = f"variant-publish @ {here['vcs_info']['vcs']}+{here['url']}@{here['vcs_info']['commit_id']}"
        return text.replace(f"VARIANT_PUBLISH: {_RELEASE}", f"VARIANT_PUBLISH: {json.dumps(source)}")
    return text.replace(_RELEASE, f"variant-publish=={__version__}")


def bucket_files(extra_index: str) -> dict[str, str]:
    """Return the bucket policy and the CloudFormation stack for an index at `s3://BUCKET/PREFIX`, by file name.

    Both serve views (the indexes of one variant each) in the folder `views` beside the index, too.
    Raises UsageError for an index that is in no bucket.
    """
    scheme, _, place = extra_index.partition("://")
    bucket, _, prefix = place.strip("/").partition("/")
    if scheme != "s3" or not bucket:
        raise UsageError(
            f"the extra index {extra_index!r} is in no bucket, so it needs no bucket files",
            hint="name one: --extra-index s3://BUCKET/PREFIX",
        )
    folder = templates_folder() / "starter"
    policy = (folder / "bucket-policy.json").read_text("utf-8")
    stack = (folder / "cloudformation.yaml").read_text("utf-8")
    views = prefix.rpartition("/")[0] + "/views" if "/" in prefix else "views"
    for name, place in (("simple", prefix), ("views", views)):
        policy = policy.replace(f"BUCKET/{name}/", f"{bucket}/{place}/" if place else f"{bucket}/")
    stack = stack.replace("Default: simple", f"Default: {prefix}") if prefix else stack
    return {
        "bucket-policy.json": policy.replace("BUCKET", bucket),
        "cloudformation.yaml": stack.replace("Default: views", f"Default: {views}"),
    }
