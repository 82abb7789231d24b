"""The specification's own example of a `cpppo.cfg` (section 2.1.2), unchanged: the last comma in its JSON, and the
bracket at the margin, too."""

EXAMPLE = """\
[Identity]
# Generally, strings are not quoted
Product Name           = 1756-L61/B LOGIX5561

[TCPIP]
# However, some complex structures require JSON configuration:
Interface Configuration = {
    "ip_address":      "192.168.0.201",
    "network_mask":    "255.255.255.0",
    "dns_primary":     "8.8.8.8",
    "dns_secondary":   "8.8.4.4",
    "domain_name":     "example.com",
}
Host Name              = controller
"""
