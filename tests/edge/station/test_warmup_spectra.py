from edge.station.warmup_spectra import warm_up_spectra
from fusion.policy import Policy
from fusion.types import Checkpoint, DetectorSpec, Family, SensorSpec


def checkpoint(*detectors):
    return Checkpoint(
        site="here",
        sensors=tuple(
            SensorSpec(
                sensor_id=f"rpm-{i}", family=Family.RADIATION, place="lane", detector=detector
            )
            for i, detector in enumerate(detectors)
        ),
    )


def test_every_different_detector_sees_one_source():
    found = warm_up_spectra(checkpoint(DetectorSpec(), DetectorSpec()), Policy())
    final = [one for one in found if one.kind == "gamma.spectrum" and one.final]
    assert len(final) == 1
    assert final[0].facts["category"] not in ("background", "norm")


def test_a_portal_without_spectra_has_nothing_to_warm_up():
    assert warm_up_spectra(checkpoint(None), Policy()) == []
