from __future__ import annotations

from pathlib import Path

from support.alike import ONE, PLUS
from support.checks import verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.metadata import ValidRequirements


def test_requirements_parse_with_and_without_tags(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS, requires=["numpy+pypi==2.0.0", "bar[x]>=1; python_version < '3.12'"])
    assert verdicts(ValidRequirements(), tmp_path) == {"pass": 1}
    make_wheel(tmp_path, ONE, requires=["bar (>=1.x)", "numpy >> 2", "baz; variant_label == 'cu128'"])
    assert verdicts(ValidRequirements(), tmp_path) == {"pass": 1, "fail": 2}


def test_markers_may_ask_for_the_variables_of_the_selector_in_tagged_wheels(tmp_path: Path) -> None:
    config = """
        [tool.variant-publish.variants.cu128]
        properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
    """
    make_wheel(tmp_path, PLUS, requires=["bar; cuda == '12.8'"])
    assert verdicts(ValidRequirements(), tmp_path, config) == {"pass": 1}
    make_wheel(tmp_path, PLUS, requires=["bar; x86_64_version == 'x86-64-v3'"])
    make_wheel(tmp_path, ONE, requires=["bar; cuda == '12.8'"])
    assert verdicts(ValidRequirements(), tmp_path, config) == {"fail": 2}
