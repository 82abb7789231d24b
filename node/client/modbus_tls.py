"""TLS to a device whose certificate one has as a file: that one is trusted, and no name is asked for."""

import ssl

from node.errors import NodeError


def pinned_context(certificate: str) -> ssl.SSLContext:
    """What a client speaks TLS with to the device of this certificate, a file in PEM. Raises `NodeError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(certificate)
    except OSError as exc:
        raise NodeError(f"{certificate}: no certificate: {exc.strerror or exc}") from exc
    return context
