"""The Common Industrial Protocol as values and bytes, without sockets, clocks or objects.

Decoders of requests raise `CipError` with the status their sender must get; decoders of replies raise
`RemoteProtocolError`; encoders raise `LocalProtocolError`. None raises anything else, whatever the bytes.
"""
