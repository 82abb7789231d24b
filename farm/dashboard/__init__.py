"""The dashboard: pages and an API over HTTP for one farm, in a process of its own that only passes on what a supervisor
says.

    desk          asks the supervisor, over `dashboard/sock`
    following     hears its frames and events
    snapshot      what is known now, and since when
    stream        hands frames and events to whoever listens
    safety        who may ask for what
    app, *_api    routes
    serve         the process

It holds no truth: killed and started again, it knows all it knew within a second. Nodes never notice it.
"""
