"""The starter files: what AWS would say of them."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from variant_publish import __version__
from variant_publish.build import starter
from variant_publish.model.build_job import BuildJob
from variant_publish.model.matrix import Cell
from variant_publish.templating import templates_folder

STARTER = templates_folder() / "starter"
ACTION = Path(__file__).parents[2] / ".github/actions/publish/action.yml"


def test_the_bucket_policy_is_json_and_denies_writes_without_a_condition() -> None:
    policy = json.loads((STARTER / "bucket-policy.json").read_text("utf-8"))
    denied = next(item for item in policy["Statement"] if item["Sid"] == "NobodyOverwritesUnawares")
    assert denied["Effect"] == "Deny"
    assert denied["Condition"]["Null"] == {"s3:if-none-match": "true", "s3:if-match": "true"}


def test_no_file_of_the_index_can_be_overwritten_and_nobody_reads_stages_without_a_name() -> None:
    policy = json.loads((STARTER / "bucket-policy.json").read_text("utf-8"))
    statements = {item["Sid"]: item for item in policy["Statement"]}
    files = statements["NobodyOverwritesFiles"]
    assert files["Effect"] == "Deny"
    assert files["Condition"]["Null"] == {"s3:if-none-match": "true"}, "If-Match is for pages"
    patterns = [resource.rpartition(":")[2] for resource in files["Resource"]]
    for key in (
        "simple/foo/foo-1.0-py3-none-any.whl",
        "views/cu128/foo/a.whl",
        "simple/foo/a.whl.metadata",
        "simple/foo/a.tar.gz",
    ):
        assert any(fnmatch(f"BUCKET/{key}", pattern) for pattern in patterns), key
    for key in ("simple/foo/", "simple/foo/index.html", "simple/foo/index.json", "simple/index.json"):
        assert not any(fnmatch(f"BUCKET/{key}", pattern) for pattern in patterns), key
    stages = statements["NobodyReadsStagesUnnamed"]
    assert (stages["Effect"], stages["Resource"]) == ("Deny", "arn:aws:s3:::BUCKET/simple/.staged/*")


class Tagged(yaml.SafeLoader):
    """Read a template of CloudFormation: `!Sub x` is x."""


Tagged.add_multi_constructor(
    "!",
    lambda loader, _, node: (
        loader.construct_scalar(node)
        if isinstance(node, yaml.ScalarNode)
        else loader.construct_sequence(node, deep=True)
    ),
)


def test_jobs_that_stage_write_to_the_stages_alone_and_the_publisher_deletes_no_file() -> None:
    stack = yaml.load((STARTER / "cloudformation.yaml").read_text("utf-8"), Tagged)  # noqa: S506 - a SafeLoader
    resources = stack["Resources"]

    def allowed(role: str, action: str) -> set[str]:
        found: set[str] = set()
        for statement in resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]:
            actions, places = (statement[key] if isinstance(statement[key], list) else [statement[key]]
                               for key in ("Action", "Resource"))  # fmt: skip
            found |= set(places) if action in actions else set()
        return found

    assert allowed("Stager", "s3:PutObject") == {"${StageBucket.Arn}/*"}
    assert allowed("Stager", "s3:DeleteObject") == {"${StageBucket.Arn}/*/.variant-publish/*"}
    assert all(
        ".variant-publish/" in place or "StageBucket" in place for place in allowed("Publisher", "s3:DeleteObject")
    )
    for bucket in ("Bucket", "StageBucket"):
        assert resources[bucket]["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert resources["StageCdn"]["Properties"]["DistributionConfig"]["DefaultCacheBehavior"]["FunctionAssociations"]


def test_what_is_installed_is_pinned() -> None:
    workflow = (STARTER / "workflow.yml").read_text("utf-8")
    assert f"VARIANT_PUBLISH: variant-publish=={__version__}" in workflow
    installed = re.findall(r"pipx (?:install|inject variant-publish) (\S+)", workflow)
    assert installed
    assert all(one == '"$VARIANT_PUBLISH"' or re.fullmatch(r"[a-z-]+==[0-9.]+", one) for one in installed), installed
    assert "environment: release" in workflow
    # The action installs the repository that it is part of, at the commit that its user pins.
    assert '"${PACKAGE:-$GITHUB_ACTION_PATH/../../..}"' in ACTION.read_text("utf-8")


def test_the_workflow_uses_only_what_the_matrix_has() -> None:
    text = (STARTER / "workflow.yml").read_text("utf-8")
    jobs = BuildJob.of(Cell("cp312-cp312", "manylinux_2_28_x86_64", "generic")).table()
    used = set(re.findall(r"\bmatrix\.([a-z-]+)", text))
    assert used == {"python", "platform", "variant", "runs-on", "cibuildwheel", "macosx-deployment-target"}
    assert used <= set(jobs)


def test_every_action_of_the_workflow_is_pinned_by_hash_and_no_right_is_given_to_all() -> None:
    text = (STARTER / "workflow.yml").read_text("utf-8")
    uses = re.findall(r"uses: (\S+)", text)
    assert uses
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in uses)
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert {name for name, job in workflow["jobs"].items() if "id-token" in job["permissions"]} == {"publish"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_stack_has_no_mistakes() -> None:
    cfnlint = pytest.importorskip("cfnlint.api")
    text = (STARTER / "cloudformation.yaml").read_text("utf-8")
    found = cfnlint.lint(text, regions=["us-east-1", "eu-central-1"])
    assert [str(match) for match in found if not match.rule.id.startswith("I")] == []


def test_the_workflow_installs_the_tool_from_where_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    class Installed:
        text = ""

        def read_text(self, name: str) -> str | None:
            return self.text or None

    monkeypatch.setattr(starter, "distribution", lambda name: Installed())
    assert yaml.safe_load(starter.workflow())["env"] == {"VARIANT_PUBLISH": f"variant-publish=={__version__}"}
    vcs = {"vcs": "git", "commit_id": "0" * 40}
    Installed.text = json.dumps({"url": "https://git.example.org/vp.git", "vcs_info": vcs})
    source = f"variant-publish @ git+https://git.example.org/vp.git@{'0' * 40}"
    assert yaml.safe_load(starter.workflow())["env"] == {"VARIANT_PUBLISH": source}
