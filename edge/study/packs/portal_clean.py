"""`portal-clean`: vehicles with nothing in them, and what a gross-count portal says of them."""

from edge.study.figures import Figure
from edge.study.intervals import proportion
from edge.study.packs import Settings
from edge.study.portal_days import PASSES, VERSION, crossings, traffic
from fusion.radiation_policy import RadiationPolicy

CLEAN = 30_000  # facts/radiation 2: without any alarm, below 1e-4 at 95 % confidence


def measure(settings: Settings) -> list[Figure]:
    """Gamma and neutron alarms, interim ones too, on simulated clean traffic."""
    policy = RadiationPolicy()
    wanted = settings.number or CLEAN
    gamma: list[float] = []
    neutron: list[float] = []
    seed = settings.seed
    while len(gamma) < wanted:
        for one in crossings(traffic(seed, min(PASSES, wanted - len(gamma))), policy):
            gamma.append(one.strongest("gamma.profile", "gamma_sigma"))
            neutron.append(one.strongest("neutron.counts", "neutron_sigma"))
        seed += 1
        if (seed - settings.seed) % 20 == 0:
            settings.say(f"{len(gamma):,} of {wanted:,} passes")
    how = (
        f"{len(gamma):,} passes on {VERSION}, seeds {settings.seed:,}-{seed - 1:,}: wire bytes, "
        "driver, detector; drift, showers, correlated noise"
    )
    return [
        _alarms("gamma false alarms", gamma, policy.significant_sigma, how),
        _alarms("neutron false alarms", neutron, policy.neutron_sigma, how),
    ]


def _alarms(name: str, sigmas: list[float], line: float, how: str) -> Figure:
    alarms = sum(sigma >= line for sigma in sigmas)
    low, high = proportion(alarms, len(sigmas))
    return Figure(
        name=name,
        value=float(alarms),
        unit="",
        goal="0",
        reached=alarms == 0,
        how=f"{how}; strongest {max(sigmas):.2f} of {line:g} sigma",
        interval=(low * len(sigmas), high * len(sigmas)),
    )
