"""The picture of a pass: what an operator sees of it at one glance, in both languages."""

from edge.evidence.axes import number
from edge.evidence.canvas import Canvas
from edge.evidence.heading import draw_heading, mark_exercise, where_and_when
from edge.evidence.profile_chart import draw_profile
from edge.evidence.spectrum_chart import SPECTRUM_HEIGHT, draw_spectrum
from edge.evidence.story import Story
from fusion.pass_record import PassRecord

WIDTH, HEIGHT = 800, 450
EXERCISE_BOX = (640, 330)


def picture(record: PassRecord, story: Story) -> bytes:
    """A PNG of the pass: 800 x 450, and as much again where there is a spectrum."""
    spectra = record.spectra
    canvas = Canvas(WIDTH, HEIGHT + (SPECTRUM_HEIGHT if spectra is not None else 0))
    counter = "" if record.counter is None else f"#{record.counter}"
    where = where_and_when(story, record.opened_utc_ns, counter)
    draw_heading(canvas, story, where, _figures(record, story))
    draw_profile(canvas, record, story.position_m)
    if spectra is not None:
        draw_spectrum(canvas, HEIGHT, spectra, record.opened_utc_ns, story.nuclides)
    if story.exercise:
        mark_exercise(canvas, *EXERCISE_BOX)
    return canvas.png()


def _figures(record: PassRecord, story: Story) -> str:
    """What a radiation officer asks for first."""
    told = []
    if story.sigma is not None:
        told.append(f"gamma {story.sigma:.1f} σ")
    if isinstance(net := story.gamma.get("net_cps"), int | float):
        told.append(f"{round(net):+,} cps")
    if isinstance(shadow := story.gamma.get("suppression"), int | float):
        told.append(f"shadow/sombra −{100 * shadow:.0f} %")
    if story.neutron_sigma is not None:
        told.append(f"neutr. {story.neutron_sigma:.1f} σ")
    told += [f"{name} {100 * confidence:.0f} %" for name, confidence in story.nuclides]
    if story.gamma.get("over_range") is True:
        told.append("OVER-RANGE/SATURADO")
    if story.position_m is not None and record.length_m:
        told.append(f"▼ {story.position_m:.1f} m / {number(round(record.length_m, 1))} m")
    if record.speed_m_s is not None:
        told.append(f"{record.speed_m_s:.1f} m/s")
    return "  ".join(told)
