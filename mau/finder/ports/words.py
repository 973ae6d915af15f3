"""How the ports stand, in words for people. Pure."""

from __future__ import annotations

from typing import Final

from mau.finder.ports.mapping import Gateway, Mapping, Method, PortState
from mau.hostport import format_address

_NAMES: Final[dict[Method, str]] = {"pcp": "PCP", "natpmp": "NAT-PMP", "upnp": "UPnP", "direct": "direct"}


def explain(state: PortState) -> str:
    """What routers do for us, one line each, and what the person can do where they do nothing."""
    lines = [_mapped(mapping, state.port) for mapping in state.mappings]
    served = {(mapping.gateway, mapping.internal[0]) for mapping in state.mappings}
    own = {mapping.internal[0] for mapping in state.mappings}
    for gateway in state.gateways:
        if (gateway.address, gateway.internal) in served or (gateway.v6 and gateway.internal not in own):
            continue
        lines.append(_unserved(gateway, state))
    if not lines:
        return (
            "no router is found: this machine is on no network, or does not tell its routes"
            if state.looked
            else f"nobody asked a router for port {state.port} yet"
        )
    return "\n".join(lines)


def _mapped(mapping: Mapping, port: int) -> str:
    outside = format_address(mapping.external)
    if mapping.method == "direct":
        return f"this machine itself has the address {outside} of the internet; a firewall may be before it"
    if mapping.external[0] == mapping.internal[0]:
        return f"the router {mapping.gateway} lets others in to {outside} ({_NAMES[mapping.method]})"
    line = f"the router {mapping.gateway} maps port {port} to {outside} ({_NAMES[mapping.method]})"
    if mapping.public:
        return line
    return (
        f"{line}, which is no address of the internet: another router is before it, often the provider's; "
        "forward the port there too, or let a friend pass connections on"
    )


def _unserved(gateway: Gateway, state: PortState) -> str:
    trials = [one for one in state.trials if one.gateway == gateway.address]
    if not state.looked and not trials:
        return f"the router {gateway.address} is being asked"
    refused = [
        f"{_NAMES[one.method]}: {one.failure.words}"
        for one in trials
        if one.failure is not None and one.failure.answered
    ]
    asked = [_NAMES[one.method] for one in trials if one.failure is not None]
    if refused:
        said = f"the router {gateway.address} maps nothing ({', '.join(refused)})"
    elif len(asked) > 1:
        said = f"the router {gateway.address} answers neither {', '.join(asked[:-1])} nor {asked[-1]}"
    else:
        said = f"the router {gateway.address} does not answer {''.join(asked) or 'anything'}"
    if gateway.v6:
        return f"{said}: if it has a firewall, let TCP port {state.port} in to {gateway.internal} by hand"
    return f"{said}: forward TCP port {state.port} to this machine ({gateway.internal}) by hand"
