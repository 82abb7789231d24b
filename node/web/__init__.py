"""The web interface of a lone simulator: `node.commands.api` over HTTP, and a page for browsers. With `--web` alone.

origin    who asked: what a browser says of it, and what is refused on its account
refusal   how it is
desk      asks the simulator, which is another thread's
app       paths, methods and statuses
face      the thread and the socket
"""
