"""Tokens and lookups with what they cost to prove: bearer, DPoP, certificate, request signature.

Every request is signed beforehand and sent once, so that only the server's work is measured. The
certificate comes in the header of a hop, as from nginx, whose own work is not ours to measure. Run
as `python -m bench.bound`.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice
from json import dumps, loads
from typing import Any
from urllib.parse import quote, urlencode

import typer
from joserfc.jwk import JWKRegistry

from auth.certificates import read_pem
from auth.tokens import CONFIRMATION, TokenSigner
from bench import wrk
from bench.agencies import SCOPE, populations
from bench.choices import HOME, Home, People, Rounds, Seconds
from bench.installation import Installation, installation, serving
from bench.lookup import Askers, metered
from bench.results import Result, publish
from bench.rounds import Measured, Ratio, interleave, paired, paired_cpu
from cli.certificates import self_signed
from cli.client_file import Algorithm, make_key
from cli.context import keyring, settings
from dtsen.client.showing import shown
from dtsen.client.tokens import authenticated
from dtsen.clock import Clock
from dtsen.messages import Request, sign_request
from dtsen.messages.keys import PrivateKey, private_key

CONNECTIONS = 32
MOST_A_SECOND = 4_000
SIGNED_A_SECOND = 2_500
TOKENS_A_SECOND = 1_500
LOOKUP = "/v1/individuals/lookup"
TOKEN = "/oauth/token"  # noqa: S105 - a path
HOP = "127.0.0.1"


class Makers:
    """Requests without end, each signed for one use."""

    def __init__(self, found: Installation, niks: list[str]) -> None:
        names = [name for _, clients in populations()["many"] for name in clients]
        key = make_key(Algorithm.ES256).as_dict(private=True)
        self._plain = [loads((found.clients / f"{name}.json").read_bytes()) for name in names]
        bound = {"token_binding": "dpop", "dpop_private_jwk": key}
        self._bound = [client | bound for client in self._plain]
        self._niks = niks
        self._pem = self_signed("bench").certificate
        self._signer = TokenSigner(keyring(), settings().issuer, Clock())

    def lookups(self, how: str, *, signed: bool = False) -> Iterator[bytes]:
        """Lookups of existing people, by 50 clients in turn, each token shown as it is bound."""
        signers = [private_key(client["private_jwk"]) for client in self._plain]
        clients = self._bound if how == "dpop" else self._plain
        tokens = [self._token(client, how) for client in clients]
        certificate = {"X-Client-Certificate": quote(self._pem, safe="")} if how == "mtls" else {}
        for (client, token, key), nik in zip(
            cycle(zip(clients, tokens, signers, strict=True)), cycle(self._niks), strict=False
        ):
            headers, body = shown(client, token, "POST", LOOKUP) | certificate, dumps({"nik": nik})
            if signed:
                headers |= _signature(client, key, headers, body)
            yield _request(LOOKUP, "application/json", body, headers)

    def tokens(self, how: str) -> Iterator[bytes]:
        """Token requests from ever new addresses, which a hop may say."""
        for client in cycle(self._bound if how == "dpop" else self._plain):
            form = authenticated(client, grant_type="client_credentials")
            headers = {"X-Real-IP": ".".join(str(octet) for octet in b"\x0a" + os.urandom(3))}
            if how == "dpop":
                headers["DPoP"] = shown(client, "", "POST", TOKEN)["DPoP"]
            yield _request(TOKEN, "application/x-www-form-urlencoded", urlencode(form), headers)

    def _token(self, client: dict[str, Any], how: str) -> str:
        """A token as the authorization server signs it, bound as asked."""
        bound = {}
        if how == "dpop":
            key = JWKRegistry.import_key(client["dpop_private_jwk"])
            bound = {CONFIRMATION["dpop"]: key.thumbprint()}
        elif how == "mtls":
            bound = {CONFIRMATION["mtls"]: read_pem(self._pem.encode()).thumbprint}
        return self._signer.sign(client["client_id"], SCOPE, bound)[0]


def _signature(
    client: dict[str, Any], key: PrivateKey, headers: dict[str, str], body: str
) -> dict[str, str]:
    """The headers of a request signature, by the client's own key."""
    said = [(name.lower(), value) for name, value in headers.items()]
    request = Request("POST", client["issuer"] + LOOKUP, said, body.encode())
    now = int(Clock().now().timestamp())
    return sign_request(request, key, client["private_jwk"]["kid"], created=now)


def _request(path: str, kind: str, body: str, headers: dict[str, str]) -> bytes:
    said = {"Host": "localhost", "Content-Type": kind, "Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n{body}\0".encode()


def _drive(made: Iterator[bytes], most: int, seconds: float) -> wrk.Driven:
    file = settings().home / "requests.bin"
    file.write_bytes(b"".join(islice(made, int(most * seconds))))
    return wrk.drive(
        f"http://127.0.0.1:{settings().port}/",
        connections=CONNECTIONS,
        seconds=seconds,
        people=(file,),
        script=wrk.REQUESTS,
    )


def measure(found: Installation, rounds: int, seconds: float) -> Result:
    """All ways in interleaved rounds."""
    os.environ["DTSEN_TLS_HOPS"] = HOP
    settings.cache_clear()
    makers = Makers(found, Askers(found).pick())
    with serving() as api:
        trees = {"server": api, "postgres": found.postmaster}
        ways: dict[str, Callable[[], Measured]] = {}
        for how in ("bearer", "dpop", "mtls"):
            drive = partial(_drive, makers.lookups(how), MOST_A_SECOND, seconds)
            ways[f"lookup {how}"] = partial(metered, drive, trees)
            made = makers.lookups(how, signed=True)
            drive = partial(_drive, made, SIGNED_A_SECOND, seconds)
            ways[f"lookup {how}, signed"] = partial(metered, drive, trees)
        for how in ("bearer", "dpop"):
            drive = partial(_drive, makers.tokens(how), TOKENS_A_SECOND, seconds)
            ways[f"token {how}"] = partial(metered, drive, trees)
        series = interleave("bound", ways, rounds)
    ratios: list[Ratio] = [
        paired(f"lookup, {how} / bearer", series, f"lookup {how}", "lookup bearer")
        for how in ("dpop", "mtls")
    ]
    ratios += [
        paired_cpu(
            f"lookup, {how} / bearer, by server CPU",
            *(series, f"lookup {how}", "lookup bearer", "server"),
        )
        for how in ("dpop", "mtls")
    ]
    for how in ("bearer", "dpop", "mtls"):
        told, names = (
            f"lookup, {how}, signed / unsigned",
            (f"lookup {how}, signed", f"lookup {how}"),
        )
        ratios.append(paired(told, series, *names))
        ratios.append(paired_cpu(f"{told}, by server CPU", series, *names, "server"))
    ratios.append(paired("token, dpop / bearer", series, "token dpop", "token bearer"))
    parameters = {"rounds": rounds, "seconds": seconds, "connections": CONNECTIONS}
    title = "Tokens and lookups by what they are bound to, one worker"
    return Result("bound", title, parameters, series, ratios)


def main(
    home: Home = HOME, people: People = 1_000_000, rounds: Rounds = 5, seconds: Seconds = 4
) -> None:
    """Measure tokens and lookups with bearer, DPoP and certificate."""
    with installation(home, people) as found:
        publish(measure(found, rounds, seconds))


if __name__ == "__main__":
    typer.run(main)
