"""Where a ground sensor may stand: soils, rock, roads and floors, with what is heard there.

Velocities and quality factors lie in the ranges of facts/seismic.md 3.3, day swing, wind and
gusts in those of 3.2. The three first are the grounds of its amplitude table and nothing
else; the tuning sites are for whatever is fitted, the report sites for figures only: they
share no preset, and their grounds, floors, hums and winds lie apart.
"""

from dataclasses import dataclass, replace

import numpy as np

LOESS_STEP_M_S = 16e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A ground with its noise."""

    name: str
    rayleigh_m_s: float
    """Velocity of the Rayleigh wave."""
    quality: float
    step_m_s: float
    """Peak of a 78 kg walker's step in boots, 10 m away."""
    dispersion: float = 0.4
    """How much faster than `rayleigh_m_s` the lowest frequencies travel, as a share."""
    scatter: float = 1.0
    """Strength of the echoes that make a knock ring for a tenth of a second."""
    kappa_s: float = 0.0105
    """Loss near the surface, exp(-pi kappa f)."""
    cut_hz: float = 0.0
    """Stiff over soft: the ground answers weakly below."""
    modes: tuple[tuple[float, float, float], ...] = ()
    """Of a floor: (Hz, damping ratio, gain). None: ground."""
    noise_m_s: float = 126e-9
    """Quiet rms in 5 to 40 Hz, by night."""
    noise_slope: float = 1.0
    """The power density falls with frequency to this power."""
    noise_high_hz: float = 150.0
    """Above, it falls by another 12 dB an octave."""
    noise_peaks: tuple[tuple[float, float, float], ...] = ()
    """(Hz, width in Hz, gain) of what rings in the noise."""
    swing: float = 1.0
    """Amplitude at midday against night."""
    wander: float = 0.0
    """Standard deviation of the level's logarithm, over minutes."""
    bumps_per_h: float = 0.0
    """Single faint knocks that nobody is the cause of, by day."""
    mains_hz: float = 60.0
    mains_m_s: float = 12e-9
    """Amplitude of the hum's first line."""
    mains_harmonics: tuple[float, ...] = ()
    """Amplitudes of the lines at twice, three times, ... that, against the first."""
    wind_db: float = 2.0
    """dB a m/s, by vegetation (0.4 bare to 5 under trees)."""
    gust_s: float = 6.0
    gust_sigma: float = 0.6
    """Of the amplitude's logarithm: 0.47 to 0.77 for sigma/mean of 0.5 to 0.9."""
    rattles_per_min: float = 0.0
    """Knocks of branches, fences and cans in a gust of twice the mean, at 8 m/s."""

    @property
    def plain(self) -> bool:
        """Whether it is just the ground of the amplitude table, and the same everywhere."""
        return self.swing == 1.0

    def varied(self, random: np.random.Generator) -> "Site":
        """Another place of this sort: nothing is quite as the preset has it."""
        if self.plain:
            return self
        stretch = float(random.lognormal(0.0, 0.06))
        return replace(
            self,
            rayleigh_m_s=self.rayleigh_m_s * float(random.lognormal(0.0, 0.10)),
            quality=self.quality * float(random.lognormal(0.0, 0.12)),
            kappa_s=self.kappa_s * float(random.uniform(0.6, 1.4)),
            scatter=self.scatter * float(random.uniform(0.75, 1.25)),
            modes=tuple(
                (hz * stretch, damping * float(random.uniform(0.8, 1.3)), gain)
                for hz, damping, gain in self.modes
            ),
            noise_m_s=self.noise_m_s * float(random.lognormal(0.0, 0.25)),
            noise_slope=self.noise_slope + float(random.uniform(-0.2, 0.2)),
            mains_m_s=self.mains_m_s * float(random.lognormal(0.0, 0.5)),
        )

    @property
    def yields(self) -> float:
        """How far it gives way to what rolls or runs on it, against the loess of the anchors.

        As it gives way to a step: stiff ground moves less under a truck too. 1 of floors.
        """
        return 1.0 if self.indoors else self.step_m_s / LOESS_STEP_M_S

    @property
    def indoors(self) -> bool:
        """Whether wind and rain are outside."""
        return bool(self.modes)


_TABLE = (
    Site(name="loam", rayleigh_m_s=138.0, quality=10.0, step_m_s=19e-6),
    Site(name="loess", rayleigh_m_s=230.0, quality=15.0, step_m_s=16e-6),
    Site(name="gravel", rayleigh_m_s=414.0, quality=30.0, step_m_s=7.5e-6),
)
"""The grounds of the table in facts/seismic.md 3.3, quiet day and night."""

_TUNING = (
    Site(
        name="pasture",
        rayleigh_m_s=150.0,
        quality=9.0,
        step_m_s=17e-6,
        noise_m_s=70e-9,
        noise_slope=1.2,
        noise_high_hz=40.0,
        swing=3.0,
        wander=0.25,
        bumps_per_h=24.0,
        wind_db=1.6,
        rattles_per_min=2.0,
    ),
    Site(
        name="dry-sand",
        rayleigh_m_s=210.0,
        quality=18.0,
        step_m_s=13e-6,
        noise_m_s=60e-9,
        noise_slope=0.8,
        noise_peaks=((7.0, 2.0, 2.0),),
        swing=3.5,
        wander=0.2,
        bumps_per_h=16.0,
        wind_db=0.8,
        gust_sigma=0.5,
    ),
    Site(
        name="orchard",
        rayleigh_m_s=190.0,
        quality=13.0,
        step_m_s=16e-6,
        noise_m_s=70e-9,
        noise_slope=1.0,
        noise_peaks=((12.0, 3.0, 1.5),),
        noise_high_hz=60.0,
        swing=4.5,
        wander=0.35,
        bumps_per_h=50.0,
        wind_db=3.6,
        gust_s=8.0,
        gust_sigma=0.7,
        rattles_per_min=10.0,
        mains_m_s=20e-9,
    ),
    Site(
        name="road-gravel",
        rayleigh_m_s=380.0,
        quality=28.0,
        step_m_s=8e-6,
        dispersion=0.25,
        scatter=1.3,
        noise_m_s=60e-9,
        noise_slope=0.7,
        noise_high_hz=23.0,
        swing=6.0,
        wander=0.4,
        bumps_per_h=80.0,
        wind_db=1.2,
        mains_m_s=30e-9,
        mains_harmonics=(0.6, 0.2),
    ),
    Site(
        name="limestone",
        rayleigh_m_s=1100.0,
        quality=70.0,
        step_m_s=2.6e-6,
        dispersion=0.1,
        scatter=0.8,
        noise_m_s=30e-9,
        noise_slope=0.9,
        noise_high_hz=90.0,
        swing=3.0,
        wander=0.2,
        bumps_per_h=20.0,
        wind_db=1.0,
    ),
    Site(
        name="asphalt",
        rayleigh_m_s=260.0,
        quality=16.0,
        step_m_s=8.5e-6,
        dispersion=-0.15,
        scatter=1.2,
        cut_hz=9.0,
        noise_m_s=55e-9,
        noise_slope=0.6,
        noise_peaks=((14.0, 4.0, 2.0),),
        noise_high_hz=26.0,
        swing=7.0,
        wander=0.4,
        bumps_per_h=120.0,
        mains_m_s=60e-9,
        mains_harmonics=(1.2, 0.3),
        wind_db=0.6,
    ),
    Site(
        name="floor-timber",
        rayleigh_m_s=320.0,
        quality=12.0,
        step_m_s=38e-6,
        modes=((9.0, 0.05, 0.5), (14.5, 0.045, 0.8), (23.0, 0.05, 1.0), (38.0, 0.07, 0.9)),
        noise_m_s=300e-9,
        noise_slope=0.8,
        swing=4.0,
        wander=0.3,
        bumps_per_h=80.0,
        mains_hz=60.0,
        mains_m_s=2.5e-6,
        mains_harmonics=(0.8, 0.35, 0.3),
    ),
    Site(
        name="floor-office",
        rayleigh_m_s=700.0,
        quality=25.0,
        step_m_s=26e-6,
        modes=((12.0, 0.03, 0.5), (18.5, 0.035, 1.0), (27.0, 0.04, 1.0), (44.0, 0.05, 0.6)),
        noise_m_s=180e-9,
        noise_slope=0.5,
        noise_peaks=((18.5, 1.2, 4.0),),
        swing=5.0,
        wander=0.3,
        bumps_per_h=100.0,
        mains_hz=50.0,
        mains_m_s=4e-6,
        mains_harmonics=(0.5, 0.6, 0.2, 0.3),
    ),
)
_REPORT = (
    Site(
        name="alluvium",
        rayleigh_m_s=118.0,
        quality=12.5,
        step_m_s=21e-6,
        dispersion=0.55,
        scatter=1.4,
        noise_m_s=70e-9,
        noise_slope=1.4,
        noise_peaks=((4.0, 1.0, 3.0),),
        noise_high_hz=20.0,
        swing=4.0,
        wander=0.3,
        bumps_per_h=36.0,
        wind_db=2.4,
        gust_s=10.0,
        gust_sigma=0.55,
        rattles_per_min=3.0,
    ),
    Site(
        name="dune",
        rayleigh_m_s=175.0,
        quality=26.0,
        step_m_s=10e-6,
        dispersion=0.7,
        scatter=0.6,
        noise_m_s=45e-9,
        noise_slope=0.6,
        noise_high_hz=100.0,
        swing=3.2,
        wander=0.15,
        bumps_per_h=10.0,
        wind_db=1.4,
        gust_s=4.5,
        gust_sigma=0.75,
    ),
    Site(
        name="scrub",
        rayleigh_m_s=285.0,
        quality=19.0,
        step_m_s=12e-6,
        scatter=1.6,
        noise_m_s=80e-9,
        noise_slope=1.1,
        noise_peaks=((19.0, 3.0, 1.2),),
        noise_high_hz=48.0,
        swing=5.5,
        wander=0.35,
        bumps_per_h=44.0,
        wind_db=2.9,
        gust_s=14.0,
        gust_sigma=0.65,
        rattles_per_min=7.0,
    ),
    Site(
        name="caliche",
        rayleigh_m_s=560.0,
        quality=42.0,
        step_m_s=5.5e-6,
        dispersion=0.05,
        scatter=1.0,
        noise_m_s=75e-9,
        noise_slope=0.85,
        noise_high_hz=35.0,
        swing=3.6,
        wander=0.25,
        bumps_per_h=30.0,
        wind_db=0.5,
        gust_sigma=0.5,
        mains_m_s=8e-9,
    ),
    Site(
        name="granite",
        rayleigh_m_s=2100.0,
        quality=140.0,
        step_m_s=1.5e-6,
        dispersion=0.03,
        scatter=1.1,
        noise_m_s=12e-9,
        noise_slope=0.7,
        swing=4.2,
        wander=0.2,
        bumps_per_h=16.0,
        wind_db=1.8,
        gust_s=8.0,
    ),
    Site(
        name="apron",
        rayleigh_m_s=340.0,
        quality=22.0,
        step_m_s=6.5e-6,
        dispersion=-0.25,
        scatter=0.9,
        cut_hz=13.0,
        noise_m_s=62e-9,
        noise_slope=0.9,
        noise_peaks=((10.0, 2.0, 2.5),),
        noise_high_hz=30.0,
        swing=8.0,
        wander=0.45,
        bumps_per_h=90.0,
        mains_hz=50.0,
        mains_m_s=90e-9,
        mains_harmonics=(0.7, 0.5),
        wind_db=0.9,
    ),
    Site(
        name="floor-joists",
        rayleigh_m_s=250.0,
        quality=9.0,
        step_m_s=45e-6,
        modes=((6.5, 0.06, 0.35), (11.0, 0.06, 0.7), (17.0, 0.05, 1.1), (31.0, 0.08, 1.0)),
        noise_m_s=400e-9,
        noise_slope=1.0,
        swing=3.0,
        wander=0.35,
        bumps_per_h=60.0,
        mains_hz=50.0,
        mains_m_s=3e-6,
        mains_harmonics=(1.1, 0.2, 0.4),
    ),
    Site(
        name="floor-slab",
        rayleigh_m_s=1000.0,
        quality=35.0,
        step_m_s=18e-6,
        modes=((15.5, 0.025, 0.6), (21.5, 0.03, 1.0), (33.0, 0.035, 1.1), (52.0, 0.05, 0.7)),
        noise_m_s=130e-9,
        noise_slope=0.3,
        noise_peaks=((21.5, 1.0, 5.0), (9.0, 0.5, 3.0)),
        swing=6.5,
        wander=0.25,
        bumps_per_h=70.0,
        mains_hz=60.0,
        mains_m_s=1.5e-6,
        mains_harmonics=(0.9, 0.7, 0.3, 0.4),
    ),
)

TUNING_SITES = tuple(site.name for site in (*_TABLE, *_TUNING))
REPORT_SITES = tuple(site.name for site in _REPORT)
SITES = {site.name: site for site in (*_TABLE, *_TUNING, *_REPORT)}
"""Every site by name; the first three were called soils before there were sites."""
