"""People in the local network: announced and found by multicast DNS (spec/finding.md N20-N39).

network     what a network is called, what belongs to it, where we may speak; pure
netlink     what Linux says of interfaces, addresses and routers
interfaces  the networks of this machine, and being told when they change
names       FPR._mau._tcp.local.; pure
budget      how much is listened to; pure
hints       what was heard, and until when it is believed; pure
guard       what may reach zeroconf
link        one network: announcing, asking, hearing
mdns        all networks that the user allows
"""

from __future__ import annotations

from mau.finder.mdns.interfaces import current_networks
from mau.finder.mdns.mdns import Mdns
from mau.finder.mdns.network import Network, Networks

__all__ = ["Mdns", "Network", "Networks", "current_networks"]
