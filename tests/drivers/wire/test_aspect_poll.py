"""What is asked of a portal, and what a simulated one answers."""

from dataclasses import replace

from drivers.wire import modbus
from drivers.wire.aspect import Channel, ChannelStatus, Description, Inputs, Monitor, encode
from drivers.wire.aspect_poll import BUSY_AFTER, STALE_S, AspectPoller, AspectResponder

DEVICE = Description(signature=1, registers=121, monitor_id=1)
QUIET = Monitor(gamma=Channel(count=950), neutron=Channel(count=3))


def poller(unit=1):
    return AspectPoller(unit, 1.0, 0.2, 2.0)


def asked(one):
    return modbus.parse_read(one.ask())[1]


def answer(record, read):
    return encode(replace(record, unit=read.unit, transaction=read.transaction))


def found(**device):
    one = poller()
    assert one.heard(answer(replace(DEVICE, **device), asked(one)))
    return one


def test_it_asks_for_the_description_and_then_for_the_block_that_it_names():
    one = poller()
    read = asked(one)
    assert (read.unit, read.address, read.count) == (1, 0, 8)
    assert not one.found
    assert one.heard(answer(replace(DEVICE, base=300, length=24), read))
    assert one.found
    read = asked(one)
    assert (read.address, read.count) == (300, 24)


def test_an_answer_may_come_in_pieces_and_one_to_another_request_is_none():
    one = poller()
    read = asked(one)
    data = answer(DEVICE, read)
    assert not one.heard(answer(DEVICE, replace(read, transaction=0xF333)))
    assert not one.heard(data[:9])
    assert one.heard(data[9:])


def test_it_asks_faster_while_there_is_something_and_a_while_longer():
    one = found()
    assert one.pause_s == 1.0
    one.heard(answer(replace(QUIET, inputs=Inputs.OCCUPANCY_2), asked(one)))
    for _ in range(BUSY_AFTER):
        assert one.pause_s == 0.2
        one.heard(answer(QUIET, asked(one)))
    assert one.pause_s == 1.0
    alarm = Channel(status=ChannelStatus.ALARM_2)
    one.heard(answer(replace(QUIET, neutron=alarm), asked(one)))
    assert one.pause_s == 0.2


def test_units_are_looked_through_until_one_answers():
    one = poller(unit=None)
    assert one.candidates == 31
    assert asked(one).unit == 1
    assert one.unanswered()
    read = asked(one)
    assert read.unit == 2
    assert one.heard(modbus.encode_refusal(read, 11))  # a gateway knows that nobody is there
    assert asked(one).unit == 3
    assert not one.found
    for _ in range(28):
        assert one.unanswered()
    assert asked(one).unit == 31
    assert not one.unanswered()


def test_a_device_that_refuses_its_block_is_asked_again_what_it_is():
    one = found()
    assert one.heard(modbus.encode_refusal(asked(one), 2))
    assert not one.found
    assert asked(one).count == 8


def test_an_absurd_description_is_an_answer_but_not_found():
    one = poller()
    assert one.heard(answer(replace(DEVICE, length=7), asked(one)))
    assert not one.found


def respond(responder, read):
    assert responder.feed(modbus.encode_read(read))
    return responder.answers()


def test_the_responder_gives_each_measurement_once_in_order_and_makes_others_wait():
    responder = AspectResponder(DEVICE)
    read = modbus.Read(1, 0x1234, 100, 21)
    assert respond(responder, modbus.Read(1, 7, 0, 8)) == encode(replace(DEVICE, transaction=7))
    assert respond(responder, read) == b""
    second = replace(QUIET, objects=2)
    responder.play(encode(DEVICE) + encode(QUIET) + b"noise" + encode(second), 0.0)
    assert responder.answers() == answer(QUIET, read)
    assert respond(responder, read) == b"noise" + answer(second, read)


def test_the_responder_refuses_other_registers_is_silent_for_other_units_and_hangs_up_on_noise():
    responder = AspectResponder(DEVICE)
    read = modbus.Read(1, 7, 4000, 2)
    assert respond(responder, read) == modbus.encode_refusal(read, 2)
    assert respond(responder, replace(read, unit=2)) == b""
    assert not responder.feed(b"GET / HTTP/1.1\r\n\r\n")


def test_who_asks_seldom_hears_nothing_stale():
    responder = AspectResponder(DEVICE)
    for second in range(100):
        responder.play(encode(replace(QUIET, objects=second)), float(second))
    read = modbus.Read(1, 7, 100, 21)
    assert respond(responder, read) == answer(replace(QUIET, objects=round(99 - STALE_S)), read)
