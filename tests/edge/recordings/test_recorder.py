import os
import time
from pathlib import Path

import pytest
from mcap.reader import make_reader

from edge.recordings.files import Limits, expired
from edge.recordings.format import (
    Event,
    RecordingDamaged,
    SensorInfo,
    Session,
    What,
    is_recording,
    read,
    read_session,
)
from edge.recordings.recorder import Recorder
from fusion.types import SECOND_NS

START_NS = 1_795_000_000 * SECOND_NS

SESSION = Session(
    site="mariposa",
    epoch="01JC0000000000000000000000",
    first_seq=1041,
    software="garita 0",
    config_digest="ab" * 32,
    languages=("en-US", "es-MX"),
    checkpoint_json='{"site":"mariposa"}',
    policy_json="{}",
    sensors=(
        SensorInfo(sensor_id="rpm-1", kind="rpm-tsa", origin="sensor", config_json="{}"),
        SensorInfo(sensor_id="geo-1", kind="shake-udp", origin="simulator", config_json="{}"),
    ),
    config_text="site: {id: mariposa}\n",
)


def recorded(directory: Path, **limits) -> Recorder:
    return Recorder(directory, SESSION, Limits(keep_free_gb=0.0, **limits))


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.mcap"))


def wait_for(condition, timeout_s: float = 20.0) -> None:
    ends = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < ends:
        time.sleep(0.01)
    assert condition()


def test_what_was_kept_is_read_in_the_order_of_feeding(tmp_path):
    recorder = recorded(tmp_path)
    # Times run backwards on purpose: the order is that of feeding, never that of time.
    recorder.raw("rpm-1", b"GB,1\n", START_NS + 9)
    recorder.tick(START_NS + 8)
    recorder.raw("geo-1", b"x" * 100_000, START_NS + 7)
    recorder.raw("rpm-1", b"", START_NS + 6)
    recorder.fed("geo-1", START_NS + 5)
    recorder.close()
    (path,) = files(tmp_path)
    assert list(read(path)) == [
        Event(What.RAW, START_NS + 9, 0, "rpm-1", b"GB,1\n"),
        Event(What.TICK, START_NS + 8, 1, "", b""),
        Event(What.RAW, START_NS + 7, 2, "geo-1", b"x" * 100_000),
        Event(What.RAW, START_NS + 6, 3, "rpm-1", b""),
        Event(What.FED, START_NS + 5, 4, "geo-1", b""),
    ]


def test_every_file_tells_its_session(tmp_path):
    recorder = recorded(tmp_path)
    recorder.tick(START_NS)
    recorder.tick(START_NS + 3600 * SECOND_NS)
    recorder.close()
    first, second = files(tmp_path)
    session = read_session(first)[0]
    assert session.first_seq == 1041
    assert session.sensors == SESSION.sensors
    assert session.checkpoint_json == SESSION.checkpoint_json
    assert [read_session(path)[1] for path in (first, second)] == [0, 1]
    assert [event.number for path in (first, second) for event in read(path)] == [0, 1]


def test_the_library_reads_the_file_with_its_indexes(tmp_path):
    recorder = recorded(tmp_path)
    recorder.raw("rpm-1", b"GB,1\n", START_NS)
    recorder.close()
    with files(tmp_path)[0].open("rb") as stream:
        reader = make_reader(stream)
        ((_, channel, message),) = reader.iter_messages(topics=["sensor/rpm-1"])
        assert (channel.metadata["kind"], message.data) == ("rpm-tsa", b"GB,1\n")
        assert next(iter(reader.iter_attachments())).data == SESSION.config_text.encode()


def test_a_file_is_rolled_by_size(tmp_path):
    recorder = recorded(tmp_path, roll_bytes=1000)
    for number in range(3):
        recorder.raw("rpm-1", bytes(range(256)) * 8192, START_NS + number)
    recorder.close()
    assert len(files(tmp_path)) == 3
    assert [event.number for path in files(tmp_path) for event in read(path)] == [0, 1, 2]


def test_what_was_fed_a_second_ago_is_on_the_disk_while_recording_goes_on(tmp_path):
    recorder = recorded(tmp_path)
    recorder.raw("rpm-1", b"GB,1\n", START_NS)

    def seen():
        try:
            return [event.data for path in files(tmp_path) for event in read(path)]
        except RecordingDamaged:  # made, and not a byte of it on the disk yet
            return []

    # A killed process leaves exactly what another reader sees now.
    wait_for(seen)
    assert seen() == [b"GB,1\n"]
    recorder.close()


@pytest.mark.parametrize("cut", [0.02, 0.3, 0.5, 0.77, 0.98])
def test_a_file_cut_anywhere_gives_what_stands_before(tmp_path, cut):
    recorder = recorded(tmp_path)
    noise = bytes(byte * 37 % 251 for byte in range(300_000))
    for number in range(12):
        recorder.raw("rpm-1", bytes([number]) + noise, START_NS + number)
    recorder.close()
    (path,) = files(tmp_path)
    whole = list(read(path))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    part = list(read(path))
    assert part == whole[: len(part)]
    assert len(part) >= int(len(whole) * cut) - 6  # a chunk holds four of them


def test_every_length_of_a_small_file_is_read_without_an_error(tmp_path):
    recorder = recorded(tmp_path)
    recorder.raw("rpm-1", b"GB,1\n", START_NS)
    recorder.close()
    (path,) = files(tmp_path)
    whole, cut = path.read_bytes(), tmp_path / "cut"
    for length in range(8, len(whole), 3):
        cut.write_bytes(whole[:length])
        assert len(list(read(cut))) <= 1


def test_a_chunk_with_a_flipped_bit_is_left_out(tmp_path):
    recorder = recorded(tmp_path)
    for number in range(3):
        recorder.raw("rpm-1", bytes([number]) * 2_000_000, START_NS)
        wait_for(lambda: recorder.queued_bytes == 0)
    recorder.close()
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    at = whole.index(b"zstd") + 40
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert [event.number for event in read(path)] == [1, 2]


def test_other_files_are_not_recordings(tmp_path):
    path = tmp_path / "x.mcap"
    path.write_bytes(b"GB,000001\r\n")
    assert not is_recording(path.read_bytes())
    with pytest.raises(RecordingDamaged, match=r"x\.mcap: not a Garita recording"):
        read_session(path)


def test_a_full_queue_drops_and_counts_and_leaves_a_gap_in_the_numbers(tmp_path):
    recorder = recorded(tmp_path, queue_bytes=1000)
    recorder.raw("rpm-1", b"kept", START_NS)
    recorder.raw("rpm-1", b"x" * 2000, START_NS + 1)
    assert recorder.dropped_bytes == 2000
    recorder.raw("rpm-1", b"kept again", START_NS + 2)
    recorder.close()
    assert [event.number for event in read(files(tmp_path)[0])] == [0, 2]


def test_too_little_free_disk_stops_the_recording_and_is_counted(tmp_path):
    recorder = Recorder(tmp_path, SESSION, Limits(keep_free_gb=1e9))
    recorder.raw("rpm-1", b"x" * 10, START_NS)
    recorder.close()
    assert files(tmp_path) == []
    assert recorder.dropped_bytes == 10


def test_a_restart_makes_room_before_it_records(tmp_path):
    old = tmp_path / "old.mcap"
    old.write_bytes(b"x" * 10_000)
    os.utime(old, (1.0, 1.0))
    recorder = recorded(tmp_path, max_days=1.0)
    recorder.tick(START_NS)
    recorder.close()
    assert old not in files(tmp_path)
    assert len(files(tmp_path)) == 1


def test_the_oldest_go_first_when_too_old_or_too_much(tmp_path):
    now = 1_000_000_000.0
    paths = []
    for days in (10, 5, 1):
        path = tmp_path / f"{days}.mcap"
        path.write_bytes(b"x" * 1000)
        os.utime(path, (now - days * 86_400, now - days * 86_400))
        paths.append(path)
    assert expired(paths, Limits(), now) == []
    assert expired(paths, Limits(max_days=7), now) == paths[:1]
    assert expired(paths, Limits(max_gb=1.5e-6), now) == paths[:2]
