"""What the ground does when nobody is about: its own noise, wind, rain and the hum of mains."""

import math

import numpy as np

from simulators.ground import Floats
from simulators.ground_site import Site
from simulators.ground_station import BLOCK_S, SlowNoise, Station, chance
from simulators.movers import Mover
from simulators.scenario import Rain

CALM_M_S = 30e-9  # rms in 5-40 Hz of still air, from which wind is counted in dB
MOST_WIND_DB = 40.0
KNOT_S = 0.5  # gusts are drawn so often
GUST_REACH_M = 40.0  # stations nearer to each other feel much the same gusts
RAIN_M_S = 0.25e-6  # rms of 1 mm/h, in its own band
DROPS_PER_S = 4.0  # of 1 mm/h, near enough to stand out


def band_density(shape: Floats, frequency_hz: Floats, rms_m_s: float) -> Floats:
    """The shape as (m/s)^2/Hz with that rms in 5 to 40 Hz."""
    band = (frequency_hz >= 5.0) & (frequency_hz <= 40.0)
    hz = float(frequency_hz[1] - frequency_hz[0])
    return np.asarray(shape * rms_m_s**2 / (float(shape[band].sum()) * hz))


def background_density(site: Site, frequency_hz: Floats) -> Floats:
    """Power density of quiet ground by night: falling with frequency, ringing here and there."""
    f = np.maximum(frequency_hz, 0.5)
    shape = f**-site.noise_slope
    bumps = np.ones_like(f)
    for hz, width_hz, gain in site.noise_peaks:
        bumps += gain / (1.0 + ((f - hz) / width_hz) ** 2)
    shape = shape * bumps / (1.0 + (f / site.noise_high_hz) ** 4)
    return band_density(shape, frequency_hz, site.noise_m_s)


def wind_density(frequency_hz: Floats, corner_hz: float = 8.0, branch_hz: float = 22.0) -> Floats:
    """Power density of still air's part of it; grows by the site's dB a m/s."""
    f = np.maximum(frequency_hz, 0.5)
    shape = 1.0 / (1.0 + (f / corner_hz) ** 2) + 0.1 * np.exp(-(((f - branch_hz) / 10.0) ** 2))
    return band_density(shape, frequency_hz, CALM_M_S)


def rain_shape(frequency_hz: Floats) -> Floats:
    """Amplitude of rain's spectrum, 1 in its band: onset at 60 to 80 Hz, to 200 Hz."""
    f = np.maximum(frequency_hz, 1.0)
    return np.asarray(1.0 / np.sqrt((1.0 + (72.0 / f) ** 10) * (1.0 + (f / 210.0) ** 6)))


class Wind:
    """The wind at a station: a mean with episodes, and gusts that pass over its neighbours too."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._site = station.site
        scenario = station.scenario
        common, own = chance(scenario, "wind"), station.chance("wind")
        gust_s = self._site.gust_s
        self._common = SlowNoise(common, 0.5 * gust_s, 3.0 * gust_s, 20)
        self._own = SlowNoise(own, 0.4 * gust_s, 2.0 * gust_s, 12)
        angle = common.uniform(0.0, 2.0 * math.pi)
        x_m, y_m = station.place_m
        along_m = x_m * math.cos(angle) + y_m * math.sin(angle)
        self._late_s = along_m / max(scenario.wind_m_s, 1.0)
        self._episodes = [mover for mover in scenario.movers if mover.kind == "wind"]

    def speed_m_s(self, times_s: Floats) -> Floats:
        """Mean wind at these times."""
        speed = np.full(times_s.shape, self._station.scenario.wind_m_s)
        for mover in self._episodes:
            speed += mover.size * ramp(mover, times_s, 20.0)
        return speed

    def gust(self, times_s: Floats) -> Floats:
        """Amplitude against the mean's, log-normal with a median of 1."""
        normal = 0.8 * self._common.at(times_s - self._late_s) + 0.6 * self._own.at(times_s)
        return np.asarray(np.exp(self._site.gust_sigma * normal))

    def size(self, times_s: Floats) -> Floats:
        """Amplitude of its noise against still air's."""
        louder_db = np.minimum(self._site.wind_db * self.speed_m_s(times_s), MOST_WIND_DB)
        size = 10.0 ** (louder_db / 20.0)
        # What is still does not gust.
        return np.asarray(np.sqrt(1.0 + ((size - 1.0) * self.gust(times_s)) ** 2))


def ramp(mover: Mover, times_s: Floats, rise_s: float) -> Floats:
    """0 before and after it, 1 within, with slopes of `rise_s`."""
    inside_s = np.minimum(times_s - mover.start_s, mover.end_s - times_s)
    return np.asarray(np.clip(inside_s / rise_s, 0.0, 1.0))


def _as_mover(rain: Rain) -> Mover:
    """An episode that the portals feel: the ground's 10 mm/h for their tenth more gamma."""
    return Mover(
        mover_id="rain",
        kind="rain",
        zone="",
        start_s=rain.start_s,
        start_m=(0.0, 0.0),
        end_m=(0.0, 0.0),
        lasts_s=rain.end_s - rain.start_s,
        size=100.0 * rain.rise,
    )


class Background:
    """Noise as frames of two blocks, half over each other, whose windows' powers add to one."""

    def __init__(self, station: Station, wind: Wind) -> None:
        self._station = station
        self._wind = wind
        self._random = station.chance("ground")
        self._own = station.chance("weather")
        self._samples = 2 * BLOCK_S * station.rate_hz
        f = station.frequencies(2 * BLOCK_S)
        self._frequency_hz = f
        response = np.abs(station.response(f))
        of_its_own = station.chance("site")
        plain = station.site.plain
        wind_hz = (8.0, 22.0) if plain else tuple(of_its_own.uniform((5.0, 14.0), (12.0, 32.0)))
        to_bin = math.sqrt(0.25 * self._samples * station.rate_hz)
        noise = station.instrument.noise_m_s**2 / 80.0
        self._self = np.full(f.size, to_bin * math.sqrt(noise))
        self._quiet = to_bin * response * np.sqrt(background_density(station.site, f))
        self._blown = to_bin * response * np.sqrt(wind_density(f, *wind_hz))
        self._window = np.sin(math.pi * (np.arange(self._samples) + 0.5) / self._samples)
        self._times_s = np.arange(self._samples) / station.rate_hz
        self._knots_s = np.arange(0.0, 2 * BLOCK_S + KNOT_S, KNOT_S)
        self._level = SlowNoise(of_its_own, 60.0, 1800.0)
        self._rains = [mover for mover in station.scenario.movers if mover.kind == "rain"]
        self._rains += [_as_mover(rain) for rain in station.scenario.rain]
        rains = 0.45 * station.rate_hz > 60.0  # else it is above what the rate carries
        self._drop = response * rain_shape(f) if rains and not station.site.indoors else None

    def add(self, motion: Floats, start_s: int) -> None:
        """One frame; before the first block half of one more, for what went before."""
        if start_s == 0:
            half = self._samples // 2
            motion[:, :half] += self._frame(-BLOCK_S)[:, half:]
        motion[:, : self._samples] += self._frame(start_s)

    def _frame(self, start_s: int) -> Floats:
        station = self._station
        wander = station.site.wander * float(self._level.at(np.array([start_s]))[0])
        level = station.coupling * station.day(start_s + BLOCK_S) * math.exp(wander)
        gust = self._wind.size(start_s + self._knots_s)
        blown = np.interp(self._times_s, self._knots_s, gust) * station.coupling
        axes, bins = len(station.axes), self._frequency_hz.size
        normal = self._random.standard_normal((2, axes, bins, 2)).view(np.complex128)[..., 0]
        quiet = np.sqrt((level * self._quiet) ** 2 + self._self**2)
        frame = np.fft.irfft(normal[0] * quiet, self._samples)
        frame += np.fft.irfft(normal[1] * self._blown, self._samples) * blown
        if self._drop is not None:
            for mover in self._rains:
                if mover.start_s < start_s + 2 * BLOCK_S and start_s < mover.end_s:
                    self._rain(frame, mover, start_s)
        return np.asarray(frame * self._window)

    def _rain(self, frame: Floats, mover: Mover, start_s: int) -> None:
        """Drops as they fall: many faint ones, a few close by."""
        assert self._drop is not None
        station = self._station
        fall = ramp(mover, start_s + self._times_s, 30.0)
        per_sample = DROPS_PER_S * mover.size / station.rate_hz
        shape = (len(station.axes), self._samples)
        many = self._own.standard_normal(shape)
        few = self._own.random(shape) < per_sample
        many += few * self._own.lognormal(1.2, 0.9, shape)
        size = RAIN_M_S * math.sqrt(mover.size * station.rate_hz / 300.0) * station.coupling
        frame += np.fft.irfft(np.fft.rfft(many * fall) * self._drop, self._samples) * size


class Mains:
    """The hum of the wires, at its line and multiples; folded where nothing filters it."""

    def __init__(self, station: Station) -> None:
        site = station.site
        self._station = station
        self._hz = site.mains_hz
        self._wander = SlowNoise(chance(station.scenario, "mains"), 20.0, 600.0)
        self._level = SlowNoise(station.chance("mains"), 30.0, 900.0)
        phase = station.chance("hum").uniform(0.0, 2.0 * math.pi, 16)
        self._lines: list[tuple[int, float, float]] = []
        movers = [mover for mover in station.scenario.movers if mover.kind == "mains"]
        self._movers = movers
        shares = site.mains_harmonics or ((0.5, 0.3) if movers else ())
        for order, share in enumerate((1.0, *shares), start=1):
            hz = np.array([order * self._hz])
            size = share * float(np.abs(station.response(hz))[0])
            if size > 1e-3:
                self._lines.append((order, size, float(phase[order])))
        self._times_s = np.arange(BLOCK_S * station.rate_hz) / station.rate_hz
        self._knots_s = np.arange(BLOCK_S + 1.0)

    def add(self, motion: Floats, start_s: int) -> None:
        """The lines' waves, of a block."""
        if not self._lines:
            return
        knots_s = start_s + self._knots_s
        size = self._station.hum_m_s * np.exp(0.1 * self._level.at(knots_s))
        for mover in self._movers:
            size += 1e-6 * mover.size * ramp(mover, knots_s, 0.2)
        # The grid holds its frequency to some 20 mHz; the slow part is drawn by the second.
        slow = 0.02 * self._wander.integral(knots_s) + self._hz * (start_s % 1000)
        turns = self._hz * self._times_s + np.interp(self._times_s, self._knots_s, slow)
        wave = np.zeros(self._times_s.size)
        for order, share, phase in self._lines:
            wave += share * np.sin(2.0 * math.pi * order * turns + phase)
        motion[:, : wave.size] += wave * np.interp(self._times_s, self._knots_s, size)
