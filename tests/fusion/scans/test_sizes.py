"""Boxes by their outline: which kind, and how large a pixel is."""

import pytest

from fusion.scans.sizes import ISO_LENGTH_M, size_of


@pytest.mark.parametrize(("feet", "height_m"), [(20, 2.591), (40, 2.591), (40, 2.896)])
@pytest.mark.parametrize("pitch_mm", [4.0, 6.5, 10.0, 30.0])
def test_an_outline_alone_gives_box_and_pitch(feet, height_m, pitch_mm):
    length_px, height_px = (1000.0 * m / pitch_mm for m in (ISO_LENGTH_M[feet], height_m))
    found = size_of(length_px, height_px, (8.0, 8.0), known=False)
    assert found.feet == feet
    assert found.sure > 0.7
    assert found.pitch_mm == pytest.approx((pitch_mm, pitch_mm), rel=1e-3)


def test_pixels_that_are_not_square_make_it_less_sure():
    square = size_of(1524.0, 362.0, (8.0, 8.0), known=False)
    other = size_of(1283.0, 362.0, (8.0, 8.0), known=False)  # 9.5 by 8 mm
    assert other.feet == square.feet == 40
    assert other.sure < square.sure
    assert other.pitch_mm[0] == pytest.approx(9.5, rel=0.01)


@pytest.mark.parametrize(("feet", "error"), [(20, 0.0), (40, 0.03), (40, -0.04), (45, 0.02)])
def test_a_known_pitch_gives_the_error_of_the_speed(feet, error):
    length_px = 1000.0 * ISO_LENGTH_M[feet] * (1.0 + error) / 8.0
    found = size_of(length_px, 330.0, (8.0, 8.0), known=True)
    assert found.feet == feet
    assert found.speed_error == pytest.approx(error, abs=1e-3)
    assert found.pitch_mm == (8.0, 8.0)


def test_a_trailer_is_no_iso_box():
    assert size_of(16_150.0 / 8.0, 350.0, (8.0, 8.0), known=True).feet == 0
