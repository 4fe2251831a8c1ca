"""`portal-clean`: vehicles with nothing in them, and what a gross-count portal says of them."""

from edge.study.figures import Figure, no_alarms
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
    told = 0
    seed = settings.seed
    while len(gamma) < wanted:
        for one in crossings(traffic(seed, min(PASSES, wanted - len(gamma))), policy):
            gamma.append(one.strongest("gamma.profile", "gamma_sigma"))
            neutron.append(one.strongest("neutron.counts", "neutron_sigma"))
            told += one.has_neutrons
        seed += 1
        if (seed - settings.seed) % 20 == 0:
            settings.say(f"{len(gamma):,} of {wanted:,} passes")
    how = (
        f"{len(gamma):,} passes on {VERSION}, seeds {settings.seed:,}-{seed - 1:,}: wire bytes, "
        "driver, detector; drift, showers, correlated noise"
    )
    highest = f"strongest {max(neutron):.2f} of {policy.neutron_sigma:g} sigma"
    alarms = sum(sigma >= policy.significant_sigma for sigma in gamma)
    strongest = f"strongest {max(gamma):.2f} of {policy.significant_sigma:g} sigma"
    return [
        no_alarms("gamma false alarms", alarms, wanted, f"{how}; {strongest}"),
        no_alarms("neutron false alarms", told, wanted, f"{how}; {highest} by neutrons alone"),
    ]
