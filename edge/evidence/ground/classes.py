"""What it is taken for, and why: bars and words in both languages."""

from edge.evidence.canvas import BLACK, BLUE, GREY, LIGHT, ORANGE, Canvas, shortened, text_size
from edge.evidence.ground.story import WaveStory
from edge.evidence.telling import LANGUAGES
from edge.text import word

TITLE, FIRST, ROW = 448, 470, 17
LABEL, BARS, BAR_PIXELS = 8, 312, 68
WHY, WHY_BARS, WHY_PIXELS, WHY_ROW = 446, 688, 62, 30
MOST_WHY = 5
FULL_NATS = 3.0  # of a bar at least; longer where a reason is stronger
LEAST_SHARE = 0.005


def draw_classes(canvas: Canvas, story: WaveStory) -> None:
    """Bars of the shares to the left, the reasons to the right."""
    canvas.fill(8, TITLE - 8, canvas.width - 8, TITLE - 7, LIGHT)
    canvas.text(LABEL, TITLE, "what it may be · qué puede ser", BLACK)
    if not story.classes:
        canvas.text(LABEL, FIRST, "not classed · sin clasificar", GREY)
    for index, (name, share) in enumerate(story.classes):
        y = FIRST + ROW * index
        canvas.text(LABEL, y, shortened(class_words(name), BARS - LABEL - 8), BLACK)
        pixels = round(BAR_PIXELS * min(max(share, 0.0), 1.0))
        canvas.fill(BARS, y + 1, BARS + pixels, y + 12, ORANGE if name == story.name else BLUE)
        canvas.fill(BARS - 1, y - 1, BARS, y + 14, GREY)
        told = f"{100.0 * share:.0f} %" if share >= LEAST_SHARE else "0"
        canvas.text(BARS + BAR_PIXELS + 44, y, told, BLACK, align=1.0)
    _why(canvas, story)


def class_words(name: str) -> str:
    """`person on foot · persona a pie`."""
    table = "class" if name == "unknown" else "explanation"
    return " · ".join(word(table, name, language) for language in LANGUAGES)


def _why(canvas: Canvas, story: WaveStory) -> None:
    reasons = story.why[:MOST_WHY]
    if not reasons:
        return
    canvas.text(WHY, TITLE, "what speaks for it · qué lo apoya", BLACK)
    canvas.text(canvas.width - 8, TITLE, "nats", GREY, align=1.0)
    full = max(FULL_NATS, *(nats for _, nats in reasons))
    for index, (term, nats) in enumerate(reasons):
        y = FIRST + WHY_ROW * index
        room = WHY_BARS - WHY - 8
        for row, (language, ink) in enumerate(zip(LANGUAGES, (BLACK, GREY), strict=True)):
            canvas.text(WHY, y + 13 * row, shortened(word("term", term, language), room), ink)
        pixels = round(WHY_PIXELS * min(max(nats / full, 0.0), 1.0))
        canvas.fill(WHY_BARS, y + 4, WHY_BARS + pixels, y + 20, ORANGE)
        canvas.fill(WHY_BARS - 1, y, WHY_BARS, y + 25, GREY)
        told = f"{nats:+.1f}"
        x = max(WHY_BARS + pixels + 4 + text_size(told)[0], WHY_BARS + 40)
        canvas.text(min(x, canvas.width - 8), y + 6, told, BLACK, align=1.0)
