"""What the front offers, by an independent scanner: TLS 1.3 first, and 1.2 as BCP 195 wants it."""

import subprocess
from xml.etree import ElementTree as ET

import pytest

from tests.packages import program

SUITES = {
    "TLSv1.3": {"TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"},
    "TLSv1.2": {
        f"ECDHE-{key}-{suite}"
        for key in ("ECDSA", "RSA")
        for suite in ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
    },
}
"""RFC 9325 4.2 (BCP 195) for 1.2, RFC 8446 9.1 for 1.3."""


@pytest.fixture(scope="module")
def scanned(behind_tls):
    address = behind_tls.client("demo-bus")["token_endpoint"].split("/")[2]
    scanner = program("sslscan", "sslscan")
    line = [scanner, "--xml=-", "--no-colour", address]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    found = ET.fromstring(done.stdout).find("ssltest")  # noqa: S314 - of a program of ours
    assert found is not None
    return found


def test_only_1_2_and_1_3_are_spoken(scanned):
    spoken = {
        f"{one.get('type')} {one.get('version')}"
        for one in scanned.findall("protocol")
        if one.get("enabled") == "1"
    }
    assert spoken == {"tls 1.2", "tls 1.3"}


def test_only_suites_of_bcp_195_are_taken(scanned):
    ciphers = scanned.findall("cipher")
    assert {one.get("sslversion") for one in ciphers} == set(SUITES)
    for one in ciphers:
        assert one.get("cipher") in SUITES[one.get("sslversion")]


def test_there_is_no_heartbleed_and_no_renegotiation(scanned):
    assert scanned.find("renegotiation").get("supported") == "0"
    assert {one.get("vulnerable") for one in scanned.findall("heartbleed")} <= {"0"}
