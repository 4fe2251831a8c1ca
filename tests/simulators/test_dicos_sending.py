import pytest

from drivers.dicos_config import XrayDicosConfig
from edge.terminal.simulate import _serving_url
from simulators.catalog import KINDS
from simulators.dicos_sending import DicosOutlet, sending_url

KIND = KINDS["xray-dicos"]


@pytest.mark.parametrize(
    ("url", "titles"),
    [
        ("dicos://127.0.0.1:11112", ("GARITA", "SCANNER")),
        ("dicos://BORDER@127.0.0.1:11112", ("BORDER", "SCANNER")),
        ("dicos://BORDER%201@[::1]:11112?calling=XR+7", ("BORDER 1", "XR 7")),
    ],
)
def test_the_url_names_who_is_called_and_by_whom(url, titles):
    outlet = DicosOutlet(url, KIND)
    assert (outlet.called, outlet.calling) == titles


@pytest.mark.parametrize("title", ["A" * 17, "%07", "%C3%B1", "%20"])
def test_a_title_that_is_none_is_said(title):
    with pytest.raises(ValueError, match="AE title"):
        DicosOutlet(f"dicos://{title}@127.0.0.1:11112", KIND)


def test_a_url_that_names_nobody_is_said():
    with pytest.raises(ValueError, match="dicos://TITLE@host:port"):
        DicosOutlet("dicos://127.0.0.1", KIND)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_url_is_read_as_it_was_made(host):
    outlet = DicosOutlet(sending_url(host, 104, called="A/B@1", calling="S&1"), KIND)
    assert (outlet._where, outlet.called, outlet.calling) == ((host, 104), "A/B@1", "S&1")


def test_a_configured_station_is_called_as_it_wants_to_be_by_whom_it_takes():
    config = XrayDicosConfig(
        id="x", lane="l", url="dicos://0.0.0.0:11112", ae_title="BORDER", callers=("XR-7", "XR-8")
    )
    outlet = DicosOutlet(_serving_url(config, pty=False), KIND)
    assert outlet._where == ("127.0.0.1", 11112)
    assert (outlet.called, outlet.calling) == ("BORDER", "XR-7")
