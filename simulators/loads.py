"""What vehicles carry: lawful loads, nuisances and what a checkpoint is there to find.

What is radioactive comes from `loads_radioactive`.
"""

from dataclasses import dataclass, replace
from random import Random

from simulators.radiation_physics import mass_t
from simulators.scenario import Cargo, Source, Vehicle


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
    nuclides: tuple[str, ...] = ()
    """What a spectroscopic portal may name."""
    detail: str = ""
    """The commodity, or what the source is for."""

    def onto(self, vehicle: Vehicle) -> Vehicle:
        """The vehicle with this load on it."""
        mass_kg = vehicle.mass_kg + 1000.0 * sum(map(mass_t, self.cargo))
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
    """Mixed goods of plastic and paper on pallets."""
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
    return Load(name="clean", cargo=blocks, declared="39")


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


def scrap(random: Random) -> Load:
    """Steel in bulk: what makes neutrons of cosmic rays."""
    block = Cargo(
        kind="scrap",
        material="steel",
        density_g_cm3=random.uniform(0.5, 0.9),
        from_m=5.5,
        to_m=random.uniform(14.0, 17.0),
        top_m=random.uniform(0.8, 1.2),
    )
    return Load(name="clean", cargo=(block,), declared="72", detail="scrap")


LAWFUL = (empty, pallets, produce, machinery)
