"""What vehicles carry: lawful loads, nuisances and what a checkpoint is there to find.

Activities are chosen from facts/radiation 5.4 so that the count rates are those of the field:
a bare source stands far above the background, a shielded one barely does.
"""

from dataclasses import dataclass, replace
from random import Random

from simulators.scenario import Cargo, Source, Vehicle

LEAD_AROUND_SOURCE_G_CM2 = 75.0  # 6.6 cm: lets through exp(-0.11 * 75) = 2.6e-4 at 662 keV


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A load with its label."""

    name: str
    """The truth label, such as `"norm"`."""
    cargo: tuple[Cargo, ...] = ()
    sources: tuple[Source, ...] = ()
    declared: str = ""
    events: tuple[str, ...] = ()
    """Event codes that are right; none for a lawful load that gives no cause."""
    needs_scanner: bool = False

    def onto(self, vehicle: Vehicle) -> Vehicle:
        """The vehicle with this load on it."""
        mass_kg = vehicle.mass_kg + sum(_mass_kg(block) for block in self.cargo)
        return replace(
            vehicle,
            cargo=self.cargo,
            sources=self.sources,
            declared=self.declared,
            mass_kg=mass_kg,
        )


def empty(random: Random) -> Load:
    """An empty box that is declared empty."""
    del random
    return Load(name="clean", declared="empty")


def pallets(random: Random) -> Load:
    """Mixed goods on pallets."""
    blocks = tuple(
        Cargo(
            kind="pallets",
            material="organic",
            density_g_cm3=random.uniform(0.15, 0.4),
            from_m=5.0 + 1.25 * i,
            to_m=6.1 + 1.25 * i,
            top_m=random.uniform(1.2, 2.0),
        )
        for i in range(9)
    )
    return Load(name="clean", cargo=blocks, declared="84")


def produce(random: Random) -> Load:
    """Cartons of fruit: homogeneous and light."""
    block = Cargo(
        kind="produce",
        material="organic",
        density_g_cm3=random.uniform(0.25, 0.4),
        from_m=5.0,
        to_m=17.0,
        top_m=2.0,
    )
    return Load(name="clean", cargo=(block,), declared="08")


def machinery(random: Random) -> Load:
    """Steel machines: clutter that is allowed to look like one."""
    blocks = tuple(
        Cargo(
            kind="machinery",
            material="steel",
            density_g_cm3=random.uniform(0.25, 0.5),
            from_m=5.5 + 3.8 * i,
            to_m=8.3 + 3.8 * i,
            top_m=random.uniform(1.2, 1.7),
            width_m=1.6,
        )
        for i in range(3)
    )
    return Load(name="clean", cargo=blocks, declared="84")


def norm(random: Random) -> Load:
    """Cat litter, granite or potash in bulk: radioactive everywhere, and lawful."""
    bulk = Cargo(
        kind="bulk",
        material="organic",
        density_g_cm3=random.uniform(0.6, 0.8),
        from_m=5.5,
        to_m=16.5,
        top_m=1.1,
    )
    rocks = Source(nuclide="NORM", activity_mbq=random.uniform(5.0, 9.0), from_m=5.5, to_m=16.5)
    return Load(
        name="norm", cargo=(bulk,), sources=(rocks,), declared="25", events=("RAD_INNOCENT",)
    )


def patient(random: Random) -> Load:
    """A driver some days after nuclear medicine, on a truck with an ordinary load."""
    body = Source(nuclide="Tc-99m", activity_mbq=random.uniform(0.3, 0.6), from_m=2.0, to_m=2.0)
    return replace(produce(random), name="patient", sources=(body,), events=("RAD_INNOCENT",))


def bare_source(random: Random) -> Load:
    """A Cs-137 source without any shield, somewhere in the box."""
    place_m = random.uniform(8.0, 14.0)
    source = Source(
        nuclide="Cs-137", activity_mbq=random.uniform(1.0, 2.0), from_m=place_m, to_m=place_m
    )
    return replace(pallets(random), name="bare-source", sources=(source,), events=("RAD_THREAT",))


def shielded_source(random: Random) -> Load:
    """A Cs-137 source in a lead pig within produce: little gets out, but the pig is dense."""
    place_m = random.uniform(8.5, 13.5)
    source = Source(
        nuclide="Cs-137",
        activity_mbq=random.uniform(250.0, 280.0),
        from_m=place_m,
        to_m=place_m,
        shield_lead_g_cm2=LEAD_AROUND_SOURCE_G_CM2,
    )
    return replace(
        produce(random),
        name="shielded-source",
        sources=(source,),
        events=("SHIELDED_SOURCE",),
        needs_scanner=True,
    )


def false_empty(random: Random) -> Load:
    """Half a ton at the front wall of a box that the papers call empty."""
    block = Cargo(
        kind="pallets",
        material="organic",
        density_g_cm3=0.3,
        from_m=5.0,
        to_m=random.uniform(6.2, 7.0),
        top_m=1.3,
        width_m=1.5,
    )
    return Load(
        name="false-empty",
        cargo=(block,),
        declared="empty",
        events=("CARGO_MISMATCH",),
        needs_scanner=True,
    )


def dense_object(random: Random) -> Load:
    """A steel safe within a homogeneous load."""
    place_m = random.uniform(8.0, 14.0)
    safe = Cargo(
        kind="object",
        material="steel",
        density_g_cm3=6.0,
        from_m=place_m - 0.35,
        to_m=place_m + 0.35,
        bottom_m=0.5,
        top_m=1.2,
        width_m=0.25,
    )
    host = produce(random)
    return replace(
        host,
        name="dense-object",
        cargo=(*host.cargo, safe),
        events=("CARGO_ANOMALY",),
        needs_scanner=True,
    )


LAWFUL = (empty, pallets, produce, machinery)


def _mass_kg(block: Cargo) -> float:
    volume_m3 = (block.to_m - block.from_m) * (block.top_m - block.bottom_m) * block.width_m
    return 1000.0 * block.density_g_cm3 * volume_m3
