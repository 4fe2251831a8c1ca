"""Ranges of bytes (RFC 9110, 14.1.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.console.ranges import Unsatisfiable, range_of


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-499", (0, 499)),
        ("bytes=500-999", (500, 999)),
        ("bytes=-500", (9500, 9999)),
        ("bytes=9500-", (9500, 9999)),
        ("bytes=0-0", (0, 0)),
        ("bytes=-1", (9999, 9999)),
        ("bytes=0-99999", (0, 9999)),
        ("bytes=-99999", (0, 9999)),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-1,4-5", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_examples_of_the_standard(header: str, wanted: tuple[int, int] | None) -> None:
    assert range_of(header, 10_000) == wanted


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10000-", 10_000), ("bytes=-0", 5), ("bytes=0-", 0)]
)
def test_where_there_is_no_byte_it_is_said(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        range_of(header, size)


@given(
    st.text(max_size=40) | st.from_regex(r"bytes=[0-9]{0,20}-[0-9]{0,20}"), st.integers(0, 10**6)
)
def test_whatever_is_asked_lies_within_the_file(header: str, size: int) -> None:
    try:
        found = range_of(header, size)
    except Unsatisfiable:
        return
    assert found is None or 0 <= found[0] <= found[1] < size
