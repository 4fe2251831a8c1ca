"""The picture of an event at a ground station: what an operator sees at one glance."""

from edge.evidence.canvas import GREY, WAVE_PALETTE, Canvas
from edge.evidence.ground.chart import LEFT, RIGHT, draw_envelope, draw_motion, draw_time, short
from edge.evidence.ground.classes import draw_classes
from edge.evidence.ground.series import series_of
from edge.evidence.ground.spectrogram import BOTTOM, draw_spectrogram
from edge.evidence.ground.story import WaveStory
from edge.evidence.heading import draw_heading, mark_exercise, where_and_when
from edge.evidence.telling import known
from fusion.wave_record import WaveRecord

WIDTH, HEIGHT = 800, 632
EXERCISE_BOX = (640, 392)
RHYTHMIC = ("person", "group", "animal", "digging")
"""Classes with a cadence of steps or blows."""


def wave_picture(record: WaveRecord, story: WaveStory) -> bytes:
    """A PNG of 800 x 632."""
    canvas = Canvas(WIDTH, HEIGHT, WAVE_PALETTE)
    where = where_and_when(story, record.start_utc_ns, record.traces[0].channel)
    draw_heading(canvas, story, where, _figures(story))
    series = series_of(record, LEFT, RIGHT)
    if series is None:
        canvas.text((LEFT + RIGHT) // 2, 220, "no samples · sin muestras", GREY, align=0.5)
    else:
        draw_motion(canvas, series)
        draw_envelope(canvas, series, story)
        draw_spectrogram(canvas, series)
        draw_time(canvas, series.axis, BOTTOM + 2)
    draw_classes(canvas, story)
    if story.exercise:
        mark_exercise(canvas, *EXERCISE_BOX)
    return canvas.png()


def _figures(story: WaveStory) -> str:
    """What an operator asks for first."""
    told = []
    cadence = story.figure("cadence_hz")
    if cadence and story.name in RHYTHMIC:
        words = "blows/s (golpes/s)" if story.name == "digging" else "steps/s (pasos/s)"
        told.append(f"{cadence:.1f} {words}")
    peak, counts = story.most("peak_um_s"), story.most("peak_counts")
    if peak is not None:
        told.append(f"max {short(peak)} µm/s")
    elif counts is not None:
        told.append(f"max {short(counts)} counts/cuentas")
    if (ratio := story.most("ratio")) is not None:
        told.append(f"{short(round(ratio, 1))} × quiet/calma")
    if (count := story.figure("count")) is not None and count > 1:
        told.append(f"{count:.0f} together/juntos")
    if (speed := known(story.motion, "speed_m_s")) is not None:
        told.append(f"{speed:.1f} m/s")
    if (duration := story.most("duration_s")) is not None:
        told.append(f"{duration:.0f} s")
    return "   ".join(told)
