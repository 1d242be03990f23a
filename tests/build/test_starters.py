"""The starter files: what AWS would say of them."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from variant_publish.model.build_job import BuildJob
from variant_publish.model.matrix import Cell
from variant_publish.templating import templates_folder

STARTER = templates_folder() / "starter"


def test_the_bucket_policy_is_json_and_denies_writes_without_a_condition() -> None:
    policy = json.loads((STARTER / "bucket-policy.json").read_text("utf-8"))
    denied = next(item for item in policy["Statement"] if item["Sid"] == "NobodyOverwritesUnawares")
    assert denied["Effect"] == "Deny"
    assert denied["Condition"]["Null"] == {"s3:if-none-match": "true", "s3:if-match": "true"}


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
