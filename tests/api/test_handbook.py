"""`/docs` in a real browser; without scripts and without any other host."""

import hashlib
import re
from base64 import b64encode
from typing import Any

import pytest

from api.app import create_app
from api.openapi import document
from dtsen.settings import Settings
from tests.browser import shown
from tests.sandbox import Sandbox

OUTSIDE = re.compile(
    r"<(?:script|link|img|iframe|object|embed)\b|\b(?:src|href)=\"(?!#)|url\(|@import"
)
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@pytest.fixture(scope="module")
def operations() -> list[dict[str, Any]]:
    made = document(create_app(Settings()), "http://localhost:8000")
    every = (one for path in made["paths"].values() for one in path.values())
    return [one for one in every if "operationId" in one]


def test_a_browser_shows_every_operation(sandbox: Sandbox, operations, tmp_path):
    page = shown(f"http://localhost:{sandbox.port}/docs", tmp_path)
    assert len(operations) > 10
    for one in operations:
        assert f'<section id="{one["operationId"]}">' in page
        assert f'href="#{one["operationId"]}"' in page
    assert page.count("<h3>Ask</h3>") == len(operations)
    assert "Contonto Misalwijaya" in page


def test_the_page_needs_nobody_else_and_may_run_nothing(sandbox: Sandbox):
    answer = sandbox.http.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    (policy,) = answer.headers.get_list("content-security-policy")
    (style,) = STYLE.findall(answer.text)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
    assert not OUTSIDE.search(answer.text)
