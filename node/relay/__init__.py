"""A relay: what stands on the networks of containers, takes their shards to the farm, and clients to their nodes.

An overlay is reached from its containers and not from the machine they run on. So one container stands on both sides:

    table.py      what a relay is to do: a file
    pump.py       one connection carried by another, each read no faster than the other is written
    tcp.py        ports of TCP that lead to nodes
    udp.py        ports of UDP that do
    frames.py     many connections in one pipe: the bytes (pure)
    link.py       many connections in one pipe: the connections, at either end
    relay.py      the program
    attach.py     its pipe, on a standard input and output
"""
