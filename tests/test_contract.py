"""`docs/contract.md` is kept true: what it names exists, what exists it names."""

import re
from pathlib import Path
from typing import cast

from typer.core import TyperGroup
from typer.main import get_command

from api.app import create_app
from api.openapi import document
from cli.main import app as command_line
from dtsen.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = (ROOT / "docs" / "contract.md").read_text()
SECTION = dict(re.findall(r"^## (\d)\. .*?\n(.*?)(?=^## |\Z)", CONTRACT, re.MULTILINE | re.DOTALL))


def test_every_setting_is_in_the_contract():
    named = set(re.findall(r"`([A-Z_]+)`", SECTION["2"]))
    for name in Settings.model_fields:
        assert name.upper() in named, name


def test_every_command_is_in_the_contract():
    told = set(re.findall(r"[a-z-]+", SECTION["1"].partition("`dtsen`: ")[2]))
    commands = cast("TyperGroup", get_command(command_line)).commands
    for name, command in commands.items():
        assert name in told, name
        for verb in getattr(command, "commands", {}):
            assert verb in told, f"{name} {verb}"


def test_every_operation_is_in_the_contract():
    made = document(create_app(Settings()), "http://localhost:8000")
    told = SECTION["4"]
    for path, operations in made["paths"].items():
        for method in operations:
            line = f"{method.upper()} {path}"
            alone = path in told and method.upper() in told
            assert line in told or alone, line


def test_scopes_of_operations_are_those_of_the_contract():
    made = document(create_app(Settings()), "http://localhost:8000")
    rows = re.findall(r"^\| (`(?:GET|POST).*?) \| (.*?) \|", SECTION["4"], re.MULTILINE)
    told = {}
    for calls, scopes in rows:
        scope = re.findall(r"`([a-z:]+)`", scopes)
        for path in re.findall(r"(?:GET|POST) (/v1/[^ `?]*)", calls):
            told[path] = scope
    for path, operations in made["paths"].items():
        for operation in operations.values():
            if path in told and path.startswith("/v1/"):
                (required,) = operation["security"][0].values()
                assert required == told[path], path
