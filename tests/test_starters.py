"""The starter files: what AWS would say of them."""

from __future__ import annotations

import json

import pytest

from variant_publish.site import templates_folder

STARTER = templates_folder() / "starter"


def test_the_bucket_policy_is_json_and_denies_writes_without_a_condition() -> None:
    policy = json.loads((STARTER / "bucket-policy.json").read_text("utf-8"))
    denied = next(item for item in policy["Statement"] if item["Sid"] == "NobodyOverwritesUnawares")
    assert denied["Effect"] == "Deny"
    assert denied["Condition"]["Null"] == {"s3:if-none-match": "true", "s3:if-match": "true"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_stack_has_no_mistakes() -> None:
    cfnlint = pytest.importorskip("cfnlint.api")
    text = (STARTER / "cloudformation.yaml").read_text("utf-8")
    found = cfnlint.lint(text, regions=["us-east-1", "eu-central-1"])
    assert [str(match) for match in found if not match.rule.id.startswith("I")] == []
