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

    def of_nats(self, nats: float) -> "Source":
        """The same source, as likely as that."""
        return Source(
            nats=nats,
            position_m=self.position_m,
            width_m=self.width_m,
            net_cps=self.net_cps,
            suppression=self.suppression,
            panel_share=self.panel_share,
        )


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
