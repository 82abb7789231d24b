"""A simulated EtherNet/IP and Modbus controller, and the clients that talk to one."""

__version__ = "0.1.0"
