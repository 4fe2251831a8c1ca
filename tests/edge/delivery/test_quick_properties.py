"""What is read quickly is what paho reads, and what paho refuses is refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paho.mqtt import _packet
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.delivery import link as link  # noqa: PLC0414 - installs them
from edge.delivery.quick_properties import Outgoing, QuickProperties

text = st.text(max_size=40)
readable = st.fixed_dictionaries(
    {},
    optional={
        "UserProperty": st.lists(st.tuples(text, text), min_size=1, max_size=5),
        "ContentType": text,
        "ResponseTopic": text,
        "CorrelationData": st.binary(max_size=40),
        "MessageExpiryInterval": st.integers(0, 2**32 - 1),
        "TopicAlias": st.integers(1, 65535),
        "PayloadFormatIndicator": st.integers(0, 1),
        "SubscriptionIdentifier": st.integers(1, 268435455),
    },
)


def packed(values):
    properties = Properties(PacketTypes.PUBLISH)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties.pack()


def outcome(made, data):
    """What was read and how many bytes it took, or the kind of error."""
    properties = made(PacketTypes.PUBLISH)
    try:
        _, size = properties.unpack(data)
    except Exception as error:  # noqa: BLE001 - whatever paho raises
        return type(error)
    return properties.json(), size


@given(values=readable, rest=st.binary(max_size=20))
def test_what_is_read_is_what_paho_reads(values, rest):
    data = packed(values) + rest
    assert outcome(QuickProperties, data) == outcome(Properties, data)


@given(values=readable, data=st.data())
@example(values={"ContentType": "a\0"}, data=None)
@example(values={"ContentType": "\ufeff"}, data=None)
def test_what_is_damaged_is_what_paho_makes_of_it(values, data):
    whole = bytearray(packed(values))
    if data is not None:
        for _ in range(data.draw(st.integers(0, 3))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        whole = whole[: data.draw(st.integers(0, len(whole)))]
    assert outcome(QuickProperties, bytes(whole)) == outcome(Properties, bytes(whole))


@given(noise=st.binary(max_size=60))
def test_noise_is_what_paho_makes_of_it(noise):
    assert outcome(QuickProperties, noise) == outcome(Properties, noise)


@pytest.mark.parametrize("kind", [PacketTypes.CONNACK, PacketTypes.PUBACK])
def test_other_packets_are_left_to_paho(kind):
    properties = Properties(kind)
    properties.ReasonString = "why"
    read = _packet.Properties(kind)
    read.unpack(properties.pack())
    assert isinstance(read, QuickProperties)
    assert read.ReasonString == "why"


@given(
    users=st.lists(st.tuples(text, text | st.just("x" * 20_000)), max_size=5),
    content_type=text,
    expiry_s=st.integers(0, 2**32 - 1),
    correlation=st.binary(max_size=40),
    response_topic=text,
)
def test_what_is_written_is_what_paho_writes(
    users, content_type, expiry_s, correlation, response_topic
):
    values = {
        "UserProperty": users,
        "ContentType": content_type,
        "MessageExpiryInterval": expiry_s,
        "CorrelationData": correlation,
        "ResponseTopic": response_topic,
    }
    written = Outgoing(
        user_properties=users,
        content_type=content_type,
        expiry_s=expiry_s,
        correlation=correlation,
        response_topic=response_topic,
    )
    assert written.pack() == packed({name: value for name, value in values.items() if value})


@pytest.mark.parametrize("told", [("a", "x" * 65536), ("x" * 65536, "a")])
def test_a_property_longer_than_mqtt_takes_is_refused(told):
    with pytest.raises(ValueError, match="65536 bytes"):
        Outgoing(user_properties=[told])
