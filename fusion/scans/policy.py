"""Every threshold of the X-ray analysis, with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class XrayPolicy:
    """Fitted on simulated scans (simulator version 2) unless a source is named.

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
    wall_sd: float = 0.003
    """Bare wall is not known better than this: 2 sigma of a cell's noise at 1e4 quanta."""
    wall_prior_sd: float = 0.04
    """Spread of walls from box to box."""
    wall_spread: float = 0.1
    """Cells within this of the walls' level may be wall: ribs and rows differ by 0.05."""
    least_wall_share: float = 0.02
    """Less of the box in sight as bare wall says nothing of it."""
    rib_period_m: tuple[float, float] = (0.18, 0.42)
    """Ribs of 278 mm (facts 4), in pictures up to a third too long or too short."""
    rib_depth: float = 0.05
    """Ribs are not deeper than this; what is more over a whole column is a thin load."""
    rib_share: float = 0.2
    """The ribs explain so much of the difference between columns, or they are not carried on."""
    wall_edge_m: float = 0.13
    """Below the roof and above the deck: their sheets, rails and blur reach so far into it."""
    wall_edge_most: float = 2.0
    """More than that at an edge is no roof or floor seen in part."""
    corner_m: float = 0.1
    """Under the roof, castings reach so far beyond the posts."""
    two_boxes_m: float = 11.5
    """Shorter boxes are no two of 20 ft behind one another."""
    box_ends_m: float = 0.45
    """How far from the middle the ends of two short boxes are: posts, doors and their gap."""
    machine_m: float = 0.66
    """A reefer's machine and the wall behind it, from the front."""
    load_attenuation: float = 0.08
    """More over the wall is load: 1.5 g/cm2 of goods, ten times the ribs' residue."""
    opaque_transmission: float = 2e-4
    """Two quanta a pixel, 128 a cell: below, dark drift and scatter decide (facts 3)."""
    scatter_share: float = 0.0015
    """Scattered light is 0.1 to 1 % of the mean around (facts 4): a cell with less than the
    lower end of that may show nothing else."""
    scatter_usual: float = 0.001
    """Of the mean around, taken off as scattered light: the least that scanners have (facts 4).
    Too much taken off would look like metal beside every gap."""
    scatter_reach_m: float = 0.5
    """How far around scattered light comes from."""
    most_blind_share: float = 0.004
    """Of the box: 5 cm of a 12 m one, in which a thing of 1.5 kg just cannot hide. With more rows
    or lines that failed side by side a scan is never called empty."""

    left_g_cm2: Mapping[str, float] = field(
        default_factory=lambda: {"floor": 2.5, "wall": 1.6, "roof": 2.5}
    )
    """Less over the walls is no part of a load, by where it is: on the deck and under the roof
    bows, cross-members and the fan beam leave more behind than between the ribs of a wall."""
    left_sigma: float = 5.0
    """Of 75,000 cells not one of an empty box is so far from the walls by noise."""
    floor_zone_m: float = 0.35
    """Above the deck: where straps, brooms and dunnage lie, and where a load stands."""
    roof_zone_m: float = 0.3
    """Below the roof: bows and their sag."""
    max_parts: int = 40
    """More parts than this are a load, whatever the next one weighs."""
    left_nats: Mapping[str, tuple[float, float, float]] = field(
        default_factory=lambda: {
            "floor": (-10.3, 2.0, 6.0),
            "wall": (-4.0, 2.0, 6.0),
            "roof": (-5.0, 2.0, 6.0),
        }
    )
    """How much a part speaks for a load: offset, weight of ln(kg + 0.05), weight of ln(g/cm2 at
    its thickest + 0.5). Brooms and dunnage on the deck weigh as much as a small load but are
    thinner; at walls and roof there is hardly anything in an empty box."""
    clean_box_nats: float = 5.0
    """What a box without anything in it says for empty: one load in 150 leaves no trace."""
    max_empty_nats: float = 15.0
    """The model of what an empty looks like is wrong more often than this."""
    composite_nats_share: float = 0.8
    """Of the log-odds of a fit to drawn display pictures: customs systems show more than was
    drawn."""

    region_sizes: tuple[tuple[float, float], ...] = (
        (0.25, 0.25),
        (0.35, 0.35),
        (0.5, 0.5),
        (0.7, 0.7),
        (0.4, 0.7),
        (0.3, 0.9),
        (0.2, 0.7),
        (1.3, 1.3),
        (1.3, 3.6),
    )
    """Height and length in metres of what is looked for: a pig, a safe, a tube, an engine, a
    car."""
    region_strip_m: float = 0.4
    """Thickness of what is beside, above and below that it is held against."""
    region_load: float = 0.85
    """Share of a place, and of what is beside it, that must be load: an edge is no object."""
    region_floor: float = 0.03
    """No load is evener than this between neighbouring places, in attenuation,"""
    region_floor_share: float = 0.005
    """nor than this share of it: bulk goods settle unevenly."""
    region_metal_floor: float = 0.004
    """The two planes' difference is no evener than a tenth of what 1 cm of steel makes."""
    region_ordinary: float = 0.95
    """One place in twenty may stand out in a load without anything hidden in it."""
    region_least_sigma: float = 1.0
    """Over all sides but one: what stands out less is no thing, whatever else speaks for it."""
    region_slabs: tuple[tuple[float, float], ...] = ((0.35, 1.8), (0.55, 2.0))
    """Length in metres of what stands upright from deck to roof, and its line."""
    slab_strip_m: float = 0.32
    """Thickness of what is beside a slab."""
    slab_floor: float = 0.05
    """As `region_floor`, of slabs: of means over half a metre of height."""
    slab_floor_share: float = 0.01
    """As `region_floor_share`, of slabs: goods beside one another differ more over a height."""
    outline_attenuation: float = 0.15
    """From so much over what is around, the thing itself is outlined and not the box."""
    region_cap: float = 8.3
    """More cannot be measured: 2.5e-4 of the light, three quanta a pixel."""
    metal_attenuation: float = 5.0
    """Cells with less tell how the planes lie to one another."""
    metal_slope: float = 0.6
    """Steeper edges mix what is beside them in a cell."""
    metal_edge: float = 0.1
    """What is left of an edge's step in the planes' difference, after their shift is put right."""
    region_faint_from: float = 4.0
    """Places from here make one another more ordinary: several pieces of a load look like that."""
    region_faint_sigma: float = 0.3
    """So much less each of them says for each other one."""
    region_crowd_from: float = 6.0
    """Several places from here are a crowd: goods that have one have many."""
    region_crowd_sigma: float = 1.7
    """So much less again each place says for each other one of a crowd."""
    front_m: float = 0.35
    """A machine or its pipes stand so near the front wall of a reefer."""
    region_sigma: float = 5.0
    """A region is told from here: 141 false ones in 1,524 drawn loads of low and medium clutter, of
    tuning families (seeds 30,000 to 32,643); from 8, 3 of them."""
    max_sigma: float = 30.0
    """Beyond, the texture's own uncertainty decides and the number says nothing more."""
    max_regions: int = 5
    """More boxes than this in one picture are clutter, and nobody looks at the sixth."""

    min_material_g_cm2: float = 5.0
    """Thinner, and thin lead looks more organic than plastic (facts 2.2)."""

    material_attenuation: float = 4.6
    """T = 0.01: behind more, scattered light decides the ratio (facts 2.2)."""
    material_sd: float = 0.003
    """The two planes' calibrations agree this well, relative to the attenuation: against a gap
    of 0.02 to 0.06 between plastic and iron (facts 2.2)."""
    sure_material_sigma: float = 0.5
    """Nearer to the line between two groups, one in three would be called wrong."""
    opaque_material_share: float = 0.7
    """How often what lets nothing through and is small is dense, and not iron and longer across."""
    material_apart_sigma: float = 2.0
    """Nearer than that, another group may be what a thing is of."""
    material_fit_sigma: float = 3.0
    """Farther than that from all groups, something else is wrong."""
    hollow_share: float = 0.1
    """Of the way from a solid piece's depth to a thing as deep as its side is long: boxes and
    engines are hollow, blocks and tools are not,"""
    hollow_share_sd: float = 0.2
    """and how far that may be off."""
    material_scatter_m: float = 0.7
    """Scattered light comes from a round spot: this square of the square that is taken off."""
    material_scatter_sd: float = 0.0003
    """Of the light around: how far a scanner may be from `scatter_usual`."""
    usual_place: float = 0.5
    """Between organic and light metal: what is weighed of loads whose material is not known."""

    mass_share_sd: float = 0.04
    """Materials differ by 10 % in what a kilogram takes (facts 2.2), pictures by 3 % in scale."""
    mass_uneven_sd: float = 1.5
    """Of what is added for goods that are uneven within a cell: scrap and pipes hide up to four
    times as much, tyres none of it."""
    mass_scatter: float = 0.001
    """Beyond `scatter_usual`: the middle of what scanners have makes a weight right on average,
    where the least of it makes no metal that is not there."""
    mass_floor_kg_m2: float = 1.0
    """Walls are known to 0.1 g/cm2 over a whole load."""

    period_m: tuple[float, float] = (0.25, 2.6)
    """Cartons, drums, pallets, bales; nothing that repeats is longer."""
    alike: float = 0.35
    """Autocorrelation from which a load repeats; random heaps have 0.25."""

    texture_scale: float = 0.05
    """Cell-to-cell differences that halve the homogeneity: cartons have 0.03, pallets 0.15."""
    spread_scale: float = 0.35
    """Differences over the whole load that do: bulk has 0.1, mixed pallets 0.9."""

    papers_density_sd: float = 0.2
    """Of ln density, beyond what a chapter's goods have: packing differs by that much."""
    papers_metal_sd: float = 0.12
    """Of the share of metal: materials of mixed goods are told that well."""
    papers_texture_sd: float = 0.1
    """Of the homogeneity from load to load of the same goods."""
    papers_told_share: float = 0.6
    """Where less of a load is thin enough to be told, that is its edges: they look like metal."""
    papers_most_nats: float = 4.0
    """No single trait says more: bands are made for usual goods."""
    previous_within_s: float = 1_209_600.0
    """Two weeks: a longer journey, and the container has carried something else."""
    change_floor_g_cm2: float = 1.0
    """Two scans of the same square of 0.125 m differ by that: walls and noise,"""
    change_share_sd: float = 0.02
    """by this share of the goods in it,"""
    change_edge_sd: float = 0.3
    """and by this share of what half a square to a side makes of them."""
    change_sigma: float = 5.0
    """A square has changed from here,"""
    change_total_sigma: float = 8.0
    """a change from so much over all its squares,"""
    change_other: float = 2.0
    """So many times more where the two were not taken by one scanner with one setting."""
    change_kg: float = 3.0
    """and from so much: less is a carton that slid."""

    notable_unpenetrated: float = 0.05
    """Share of the box that an operator must be told of; a single safe has 0.02."""
