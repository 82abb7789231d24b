"""EtherNet/IP encapsulation, and both ends of a session, without sockets or clocks."""
