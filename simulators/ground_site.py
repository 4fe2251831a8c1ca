"""What there is to say of one ground or floor: how it carries motion, and what is heard there."""

from dataclasses import dataclass, replace

import numpy as np

LOESS_STEP_M_S = 16e-6  # of the ground for which vehicles and engines have their amplitudes


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
