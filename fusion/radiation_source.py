"""A source of gammas as the profile of a pass shows it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The best source of one form."""

    nats: float
    """Log-likelihood ratio against none, >= 0, scaled by the misfit where there is one."""
    position_m: float
    width_m: float
    net_cps: float
    suppression: float
    panel_share: tuple[float, ...]


def no_source(suppression: float) -> Source:
    """Where nothing can be fitted."""
    return Source(
        nats=0.0,
        position_m=0.0,
        width_m=0.0,
        net_cps=0.0,
        suppression=suppression,
        panel_share=(),
    )
