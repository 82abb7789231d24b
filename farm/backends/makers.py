"""Makers of industrial controllers, by the first three bytes of their MACs: who is not to be answered for by accident.

From the public register of OUIs (standards-oui.ieee.org); the larger makers only, and what else they make is among it.
"""

MAKERS = {
    "Rockwell Automation": (
        "00:00:bc 00:1d:9c 08:61:95 18:4c:08 34:c0:f9 40:41:01 5c:21:67 5c:88:16 68:c8:eb bc:f4:99 e4:8e:bb e4:90:69"
        " f4:54:33"
    ),
    "Siemens": (
        "00:01:e3 00:0b:a3 00:0e:8c 00:1b:1b 00:1c:06 00:1f:f8 08:00:06 10:df:fc 20:87:56 20:a8:b9 28:63:36 30:13:89"
        " 30:2f:1e 30:b8:51 38:4b:24 40:ec:f8 4c:e7:05 68:3e:02 78:9f:87 88:3f:99 8c:f3:19 ac:64:17 b8:7a:c9 d4:f5:27"
        " e0:dc:a0 e8:ef:22 ec:1c:5d"
    ),
    "Schneider Electric": "00:00:54 00:01:23 00:04:17 00:0c:81 00:11:00 00:13:24 00:80:f4 20:44:3a 9c:0e:51 e4:f5:8e",
    "Omron": "00:00:0a 3c:f7:d1",
    "Mitsubishi Electric": "00:26:92 10:4b:46 28:e9:8e 30:be:3b 38:e0:8e 58:52:8a 58:8d:39 94:a4:b5",
    "WAGO": "00:30:de",
    "Beckhoff": "00:01:05",
    "Phoenix Contact": "00:a0:45 a8:74:1d cc:cc:ea",
    "ABB": "00:00:23 00:0c:02 00:1b:45 00:1c:01 00:24:59 54:f8:76 60:39:1f",
    "B&R": "00:60:65",
    "Moxa": "00:90:e8",
    "Intelligent Platforms": "00:09:91",
    "Honeywell": "00:22:6a 00:40:84",
    "Emerson": "00:40:03",
    "Yokogawa": "00:00:64 00:60:41 d0:0a:ab",
    "Keyence": "00:01:fc 74:95:a7",
    "Delta Electronics": "00:06:6e 00:18:23 20:f8:5e",
}
_BY_OUI = {oui: maker for maker, ouis in MAKERS.items() for oui in ouis.split()}


def maker_of(mac: str) -> str:
    """Who made the device with `mac` (as `00:00:bc:12:34:56`), "" for nobody of these."""
    return _BY_OUI.get(mac.lower()[:8], "")
