"""The scalar Kalman filter beside its twin in matrices, and beside Stone Soup."""

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.kernels.track import predict, update

sizes = st.floats(0.01, 100.0)
legs = st.lists(
    st.tuples(st.floats(-60.0, 60.0), st.floats(-200.0, 200.0), st.floats(0.05, 50.0)),
    min_size=1,
    max_size=6,
)


def matrices(state):
    value, slope, p00, p01, p11 = state
    return np.array([value, slope]), np.array([[p00, p01], [p01, p11]])


def predicted_slowly(mean, covariance, step, drift):
    if step < 0.0:  # the same along the axis the other way round
        flip = np.diag([1.0, -1.0])
        mean, covariance = predicted_slowly(flip @ mean, flip @ covariance @ flip, -step, drift)
        return flip @ mean, flip @ covariance @ flip
    transition = np.array([[1.0, step], [0.0, 1.0]])
    noise = drift * np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]])
    return transition @ mean, transition @ covariance @ transition.T + noise


def updated_slowly(mean, covariance, measured, variance):
    measurement = np.array([[1.0, 0.0]])
    expected = measurement @ covariance @ measurement.T + variance
    gain = covariance @ measurement.T @ np.linalg.inv(expected)
    mean = mean + gain @ (np.array([measured]) - measurement @ mean)
    return mean, (np.eye(2) - gain @ measurement) @ covariance


@settings(max_examples=60)
@given(legs=legs, drift=st.floats(0.0, 2.0), slope_sd=sizes)
def test_the_filter_agrees_with_its_twin_in_matrices(legs, drift, slope_sd):
    state = (0.0, 0.0, 1.0, 0.0, slope_sd**2)
    mean, covariance = matrices(state)
    for step, measured, sd in legs:
        state = update(predict(state, step, drift), measured, sd**2)
        mean, covariance = predicted_slowly(mean, covariance, step, drift)
        mean, covariance = updated_slowly(mean, covariance, measured, sd**2)
    got_mean, got_covariance = matrices(state)
    assert got_mean == pytest.approx(mean, rel=1e-6, abs=1e-6)
    assert got_covariance == pytest.approx(covariance, rel=1e-6, abs=1e-6)


def test_the_filter_agrees_with_stone_soup():
    pytest.importorskip("stonesoup")
    from stonesoup.models.measurement.linear import LinearGaussian  # noqa: PLC0415 - heavy, and only here
    from stonesoup.models.transition.linear import ConstantVelocity  # noqa: PLC0415 - heavy, and only here
    from stonesoup.predictor.kalman import KalmanPredictor  # noqa: PLC0415 - heavy, and only here
    from stonesoup.types.detection import Detection  # noqa: PLC0415 - heavy, and only here
    from stonesoup.types.hypothesis import SingleHypothesis  # noqa: PLC0415 - heavy, and only here
    from stonesoup.types.state import GaussianState  # noqa: PLC0415 - heavy, and only here
    from stonesoup.updater.kalman import KalmanUpdater  # noqa: PLC0415 - heavy, and only here

    # To Stone Soup the place along the line is the time, and the time of passage a position.
    drift, variance = 5e-5, 0.2
    begin = datetime.datetime(2026, 11, 21)
    predictor = KalmanPredictor(ConstantVelocity(noise_diff_coeff=drift))
    model = LinearGaussian(ndim_state=2, mapping=(0,), noise_covar=np.array([[variance]]))
    updater = KalmanUpdater(model)
    reference = GaussianState([[0.0], [0.0]], np.diag([0.2, 0.81]), timestamp=begin)
    state, last_m = (0.0, 0.0, 0.2, 0.0, 0.81), 0.0
    for place_m, at_s in ((15.0, 10.5), (30.0, 21.0), (45.0, 33.0), (60.0, 43.0)):
        state = update(predict(state, place_m - last_m, drift), at_s, variance)
        last_m = place_m
        passed = Detection(
            [[at_s]],
            timestamp=begin + datetime.timedelta(seconds=place_m),
            measurement_model=model,
        )
        expected = predictor.predict(reference, timestamp=passed.timestamp)
        reference = updater.update(SingleHypothesis(expected, passed))
        mean, covariance = matrices(state)
        assert mean == pytest.approx(np.asarray(reference.state_vector).ravel(), rel=1e-9)
        assert covariance == pytest.approx(np.asarray(reference.covar), rel=1e-9)
    assert 1.0 / state[1] == pytest.approx(1.4, abs=0.05)
