"""What a server counts, and the text that Prometheus reads (exposition format 0.0.4). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class Counters:
    """Numbers that only grow. Nothing in them names a visitor."""

    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By who asked ("friend", "stranger", "anonymous") and the status of the answer."""
    sent: Counter[str] = field(default_factory=Counter)
    """Bytes of bodies, by who asked."""
    seconds: float = 0.0
    """From the first byte of a request to its answer, all together."""
    refused: Counter[str] = field(default_factory=Counter)
    """Connections that were not taken, or cut to make room, by reason."""
    handshakes: Counter[str] = field(default_factory=Counter)
    """"done" and "failed"."""
    calls: Counter[str] = field(default_factory=Counter)
    """Calls of who may call through this relay: "answered", "nobody" and "too much" (spec/circuit.md)."""
    passed_on: int = 0
    """Bytes between others, both directions."""

    def render(self, gauges: Mapping[str, float]) -> str:
        """All of it as text, and with it what is measured now, by its name."""
        lines: list[str] = []

        def family(name: str, kind: str, samples: list[tuple[str, float]]) -> None:
            lines.append(f"# TYPE {name} {kind}")
            lines.extend(f"{name}{labels} {_number(value)}" for labels, value in samples)

        answered = sorted(self.requests.items())
        family(
            "mau_requests_total",
            "counter",
            [(f'{{visitor="{who}",status="{status}"}}', count) for (who, status), count in answered],
        )
        for name, label, counter in (
            ("mau_sent_bytes_total", "visitor", self.sent),
            ("mau_connections_refused_total", "reason", self.refused),
            ("mau_handshakes_total", "result", self.handshakes),
            ("mau_circuit_calls_total", "result", self.calls),
        ):
            family(name, "counter", [(f'{{{label}="{key}"}}', n) for key, n in sorted(counter.items())])
        family("mau_circuit_bytes_total", "counter", [("", self.passed_on)])
        family("mau_request_seconds_total", "counter", [("", self.seconds)])
        for name, value in gauges.items():
            family(name, "gauge", [("", value)])
        return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6f}"
