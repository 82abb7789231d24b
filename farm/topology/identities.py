"""Who the nodes of a plant say they are: the Identity object of each, and a serial number that no other one has."""

from dataclasses import dataclass, field

from farm.topology.document import MapNode, Node
from farm.topology.groups import Member
from farm.topology.keys import BYTE, PRODUCT_NAME, REVISION, SERIAL, WORD
from farm.topology.problem import Report
from farm.topology.shapes import take
from node.config.model import IdentityConfig
from node.config.schema import Profile, identity, stable_serial


@dataclass(slots=True)
class IdentityBuilder:
    """Builds the identities of the nodes of one farm."""

    farm: str
    report: Report
    _serials: dict[int, tuple[str, Node | None]] = field(default_factory=dict)

    def identity(self, member: Member, profile: Profile) -> IdentityConfig:
        """The Identity object: the profile's, where the file says nothing else."""
        body = member.body.map("identity")
        same = identity(profile.name, self.serial(member, body))
        if body is None:
            return same
        return IdentityConfig(
            vendor=take(body, "vendor", WORD, same.vendor, self.report),
            device_type=take(body, "device_type", WORD, same.device_type, self.report),
            product_code=take(body, "product_code", WORD, same.product_code, self.report),
            revision=take(body, "revision", REVISION, same.revision, self.report),
            status=take(body, "status", WORD, same.status, self.report),
            serial=same.serial,
            product_name=take(body, "product_name", PRODUCT_NAME, same.product_name, self.report),
            state=take(body, "state", BYTE, same.state, self.report),
        )

    def take_serials(self, members: list[Member]) -> None:
        """Note the serial numbers that the file gives, before any is made up; no two nodes share one."""
        for member in members:
            body = member.body.map("identity")
            written = body.get("serial") if body is not None else None
            serial = take(body, "serial", SERIAL, 0, self.report)
            if written is None or not serial:
                continue
            self.report.subject = member.name
            other = self._serials.setdefault(serial, (member.name, written))
            if other[0] != member.name:
                message = f"serial number {serial} of '{member.name}' is already that of '{other[0]}'"
                self.report.error("F064", written, message, "leave it out: each node gets its own")

    def serial(self, member: Member, body: MapNode | None) -> int:
        """A node's serial number: the file's, else one made of the names of farm and node."""
        written = take(body, "serial", SERIAL, 0, self.report)
        if written:
            return written
        serial, turn = stable_serial(self.farm, member.name), 0
        while self._serials.setdefault(serial, (member.name, None))[0] != member.name:
            turn += 1
            serial = stable_serial(self.farm, member.name, str(turn))
        return serial
