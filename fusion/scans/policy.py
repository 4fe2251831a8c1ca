"""Every threshold of the X-ray analysis, with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class XrayPolicy:
    """Fitted on simulated scans (simulator version 1) unless a source is named.

    Attenuation is -ln of the transmission in the high-energy plane, without unit.
    """

    cell_px: int = 8
    """Pixels are judged in cells of 8 x 8: a single one is hopeless for material, the mean of
    64 has 4 to 16 sigma between plastic and iron (facts 2.2). Less in small pictures."""
    min_cells_down: int = 24
    """A vehicle of 4 m in cells of 0.16 m: a roof, a deck and a load can still be told apart."""
    min_cells_along: int = 60
    """A box of 6 m in cells of 0.1 m: the picture's cells are halved until it has so many."""

    min_reference_px: int = 4
    """Dark columns that must agree before they are a dark reference; a missed pulse is one."""
    min_air_px: int = 8
    """Air rows or columns for a reference: their mean is then three times better than a pixel."""
    air_transmission: float = 0.85
    """Clearer is air: noise and gain reach 5 %, the thinnest wall (2 x 1.6 mm) takes 12 %."""
    dropped_share: float = 0.5
    """A row or column with less than half its due is dead, not dim: it is left out of its cell."""
    composite_gamma: float = 2.2
    """What a workstation's 8-bit picture is assumed to be drawn with."""

    vehicle_attenuation: float = 0.06
    """More is vehicle: half of what one container wall takes, 40 times a cell's noise."""
    min_box_m: float = 3.0
    """A shorter level top is a cab or a car; the shortest container has 6 m, a small box 4."""
    roof_margin_m: float = 0.08
    """Below the top edge: the roof rail (60 mm) and its blur."""
    end_margin_m: float = 0.2
    """Corner posts and end walls seen edge-on."""
    deck_window_m: tuple[float, float] = (2.1, 2.95)
    """Below the roof, where the deck of 8'6" and 9'6" containers is (ISO 668)."""
    deck_attenuation: float = 1.5
    """The plywood deck seen edge-on takes more than 4, rails and chassis beams less than 1."""
    standard_deck_m: float = 2.46
    """Roof to deck of an 8'6" box, where the deck cannot be seen."""
    deck_margin_m: float = 0.05
    """Above the deck's lower edge: its 28 mm and their blur."""
    open_floor_m: float = 1.2
    """Where no box is found, what lies below is running gear."""

    wall_attenuation: tuple[float, float] = (0.08, 0.32)
    """Two corrugated walls of 1.6 to 2.0 mm: 0.13 to 0.25 with ribs. Outside, it is no wall."""
    wall_prior: float = 0.17
    """The walls, where cargo hides them everywhere."""
    wall_rows_m: float = 0.25
    """Under the roof, where a load hardly reaches: there each column's rib is measured."""

    load_attenuation: float = 0.08
    """More over the wall is load: 1.5 g/cm2 of goods, ten times the ribs' residue."""
    opaque_transmission: float = 2e-4
    """Two quanta a pixel, 128 a cell: below, dark drift and scatter decide (facts 3)."""
    scatter_share: float = 0.0015
    """Scattered light is 0.1 to 1 % of the mean around (facts 4): a cell with less than the
    lower end of that may show nothing else."""
    scatter_reach_m: float = 0.5
    """How far around scattered light comes from."""
    composite_opaque_transmission: float = 3e-4
    """The five darkest of 256 grey values cannot be told from black."""

    empty_mass_kg: float = 5.0
    """The residue of an empty box is of this order: forgotten straps, a broom, rib mismatch."""
    empty_spread: float = 0.7
    """Spread of ln(1 + mass / empty_mass_kg) among empties."""
    light_load_share: float = 0.003
    """Loads that weigh no more than such residue: fewer than one in 300."""
    heaviest_kg: float = 28_000.0
    """Payload of a container; masses of loads are as likely in each factor of two below."""
    max_empty_nats: float = 15.0
    """The model of what an empty looks like is wrong more often than this."""
    composite_nats_share: float = 0.5
    """A display picture has lost half of what the planes knew."""

    region_scales_m: tuple[float, ...] = (0.3, 0.5, 0.8, 1.2)
    """Sides of what is looked for: a safe, a pig, a pallet, an engine."""
    contrast_floor: float = 0.03
    """No load is evener than this between neighbouring places."""
    contrast_relative: float = 0.025
    """Bulk goods settle unevenly by some 2 % of their thickness."""
    min_load_around: float = 0.5
    """Share of the surroundings that must be load: an edge of the load is no object in it."""
    min_excess_g_cm2: float = 12.0
    """Less is a thicker carton: 1.5 cm of steel."""
    region_sigma: float = 5.0
    """A region is told from here; strong is 8."""
    max_sigma: float = 30.0
    """Beyond, the texture's own uncertainty decides and the number says nothing more."""
    max_regions: int = 5
    """More boxes than this in one picture are clutter, and nobody looks at the sixth."""

    light_metal_ratio: float = 1.18
    """Excess in the low over excess in the high plane: more is organic (facts 2.2, 4/6 MV:
    plastic 1.17 to 1.21, rising behind more of it)."""
    steel_ratio: float = 1.152
    """Below light metal (aluminium 1.16 to 1.17) is steel (1.15 falling to 1.11 with depth)."""
    dense_ratio: float = 1.09
    """Below is denser than steel, or unresolved; nothing nuclear is claimed."""
    min_material_g_cm2: float = 5.0
    """Thinner, and thin lead looks more organic than plastic (facts 2.2)."""

    texture_scale: float = 0.05
    """Cell-to-cell differences that halve the homogeneity: cartons have 0.03, pallets 0.15."""
    spread_scale: float = 0.35
    """Differences over the whole load that do: bulk has 0.1, mixed pallets 0.9."""

    notable_unpenetrated: float = 0.05
    """Share of the box that an operator must be told of; a single safe has 0.02."""
