import numpy as np

from drivers.n42_energies import KEPT, Energies
from drivers.wire import n42


def spectrum(name="D1", channels=8, keV=3.0):  # noqa: N803 - as the unit is written
    return n42.Spectrum(
        detector=name,
        live_s=1.0,
        counts=np.zeros(channels, np.uint32),
        calibration=n42.Calibration(coefficients=(0.0, keV)),
    )


def test_the_same_calibration_is_the_same_array_whatever_object_told_it():
    energies = Energies()
    first, is_news = energies.edges(("D1",), [spectrum()])
    again, is_old_news = energies.edges(("D1",), [spectrum()])
    assert again is first
    assert (is_news, is_old_news) == (True, False)
    assert energies.edges(("D1",), [spectrum(keV=3.1)])[0] is not first


def test_however_many_calibrations_come_few_are_kept():
    energies = Energies()
    for number in range(1, 10 * KEPT):
        edges, _ = energies.edges(("D1",), [spectrum(keV=number / 7)])
        assert edges.shape == (1, 9)
    assert len(energies._known) <= KEPT + 1


def test_detectors_come_in_the_order_of_their_names():
    groups = Energies().groups([spectrum("B"), spectrum("A"), spectrum("C", channels=16)])
    assert list(groups) == [("A", "B"), ("C",)]
    assert [one.detector for one in groups["A", "B"]] == ["A", "B"]


def test_a_spectrum_without_channels_is_none():
    assert Energies().groups([spectrum(channels=0)]) == {}
