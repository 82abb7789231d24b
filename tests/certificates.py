"""Certificates for TLS, made anew for each run: an authority, a server's and a client's of it, and one of nobody's."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """A folder of them: `NAME.pem` and `NAME.key` for `authority`, `server`, `client` and `stranger`."""

    folder: Path

    def certificate(self, name: str) -> str:
        return str(self.folder / f"{name}.pem")

    def key(self, name: str) -> str:
        return str(self.folder / f"{name}.key")


def make_certificates(folder: Path, host: str) -> Certificates:
    """Good for a day, and the server's for `host`."""
    made = Certificates(folder)
    for name in ("authority", "stranger"):
        authority = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        _openssl(*_new(made, name), "-x509", "-days", "1", *authority)
    for name in ("server", "client"):
        extensions = folder / f"{name}.cnf"
        extensions.write_text(f"subjectAltName=IP:{host}\nextendedKeyUsage={name}Auth\nauthorityKeyIdentifier=keyid\n")
        request = str(folder / f"{name}.csr")
        _openssl(*_new(made, name, request))
        signed = ("-CA", made.certificate("authority"), "-CAkey", made.key("authority"), "-CAcreateserial")
        out = ("-out", made.certificate(name), "-days", "1", "-extfile", str(extensions))
        _openssl("x509", "-req", "-in", request, *signed, *out)
    return made


def _new(made: Certificates, name: str, out: str = "") -> list[str]:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", made.key(name), "-out", out or made.certificate(name)]
    return ["req", *curve, *files, "-subj", f"/CN={name}"]


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)
