import io
import time
import zlib
from dataclasses import replace

import numpy as np
import pytest

from drivers import dicos_reading
from drivers.dicos_config import XrayDicosConfig
from drivers.wire import bundle, dicos
from drivers.wire.dicos_write import begin, element
from drivers.wire.malformed import Malformed
from drivers.xray_dicos import DicosFile, XrayDicosDriver
from fusion.types import MILLISECOND_NS, SECOND_NS, Origin
from simulators.xray_dicos import DxOptions, dx
from tests.drivers.dicos_files import (
    SCAN,
    START_UTC_NS,
    changed,
    high,
    low,
    packed,
    plane,
    single,
)
from tests.drivers.dicos_lists import PICTURE

pydicom = pytest.importorskip("pydicom")

CONFIG = XrayDicosConfig(id="xray-1", lane="nb-01", url="folder:/scans")
LATE_NS = START_UTC_NS + 60 * SECOND_NS


def driver(origin=Origin.SENSOR, **keys):
    return XrayDicosDriver(replace(CONFIG, **keys), origin)


def fed(*files, received_utc_ns=LATE_NS, origin=Origin.SENSOR, **keys):
    """What a new driver makes of a scan's files."""
    data = bundle.encode({f"{number}.dcs": file for number, file in enumerate(files)})
    return driver(origin, **keys).feed(data, received_utc_ns)


def scan_of(*files, **keys):
    """The one scan that comes out, and nothing else."""
    (scan,) = fed(*files, **keys)
    assert not isinstance(scan, Malformed), scan
    return scan


def reasons(*files, **keys):
    return [one.reason for one in fed(*files, **keys) if isinstance(one, Malformed)]


# --- what is read --------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, -1])
def test_two_files_of_a_scan_are_its_planes(order):
    scan = scan_of(*[high(), low()][::order])
    np.testing.assert_array_equal(scan.high, plane(1))
    np.testing.assert_array_equal(scan.low, plane(2))
    assert scan.energies_mev == (6.0, 4.0)
    assert (scan.scan_id, scan.container) == ("scan-1", "CSQU3054383")
    assert (scan.pitch_x_mm, scan.pitch_y_mm, scan.pitch_known) == (7.5, 5.0, True)
    assert (scan.start_utc_ns, scan.duration_ms) == (START_UTC_NS, 8000)
    assert scan.declared == "empty"
    assert [name for name, _ in scan.digests] == ["0.dcs", "1.dcs"]
    assert (scan.origin, scan.notes) == (Origin.SENSOR, ())


def test_the_energies_tell_the_planes_where_image_type_does_not():
    scan = scan_of(low(characteristics=""), high(characteristics=""), planes="dual")
    np.testing.assert_array_equal(scan.high, plane(1))


def test_two_frames_are_high_and_low():
    both = np.concatenate([plane(1), plane(2)])

    def in_frames(read):
        read.NumberOfFrames, read.Rows = 2, 24

    scan = scan_of(changed(single(both), in_frames))
    np.testing.assert_array_equal(scan.high, plane(1))
    np.testing.assert_array_equal(scan.low, plane(2))


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2"])
def test_the_order_of_bytes_and_implicit_types_do_not_matter(syntax):
    read = pydicom.dcmread(io.BytesIO(single()))
    if syntax.endswith(".2.2"):
        read.PixelData = plane(1).byteswap().tobytes()
    read.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    implicit = syntax == "1.2.840.10008.1.2"
    pydicom.dcmwrite(
        out, read, implicit_vr=implicit, little_endian=implicit, enforce_file_format=False
    )
    np.testing.assert_array_equal(scan_of(out.getvalue()).high, plane(1))


def test_a_deflated_file_is_read():
    def deflated(read):
        read.file_meta.TransferSyntaxUID = dicos.DEFLATED

    np.testing.assert_array_equal(scan_of(changed(single(), deflated)).high, plane(1))


@pytest.mark.parametrize(
    "syntax", ["JPEGLosslessProcess14_1", "JPEGLosslessProcess14", "JPEGLSLossless", "RLELossless"]
)
def test_packed_pixels_come_out_as_they_were(syntax, tmp_path):
    scan = scan_of(packed(single(), syntax, tmp_path))
    np.testing.assert_array_equal(scan.high, plane(1))


def test_packed_bytes_come_out_as_they_were(tmp_path):
    grey = (plane(1) >> 8).astype(np.uint8)

    def of_bytes(read):
        read.BitsAllocated = read.BitsStored = 8
        read.HighBit = 7
        read.PixelData = grey.tobytes()

    scan = scan_of(packed(changed(single(), of_bytes), "JPEGLosslessProcess14_1", tmp_path))
    assert scan.high is None
    np.testing.assert_array_equal(scan.composite, grey)


def test_twelve_bits_fill_the_scale():
    def of_twelve_bits(read):
        read.BitsStored, read.HighBit = 12, 11
        read.PixelData = (plane(1) >> 4).tobytes()

    np.testing.assert_array_equal(
        scan_of(changed(single(), of_twelve_bits)).high >> 4, plane(1) >> 4
    )


def test_what_is_for_presentation_is_a_picture_for_the_eye():
    def presented(read):
        read.SOPClassUID = dicos.DX_PRESENTATION
        read.PresentationIntentType = "FOR PRESENTATION"

    scan = scan_of(changed(single(), presented))
    assert (scan.high, scan.low) == (None, None)
    np.testing.assert_array_equal(scan.composite, plane(1) >> 8)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("sign", [1, -1, None])
def test_the_sign_says_what_high_values_stand_for_and_else_how_they_are_shown(photometric, sign):
    def shown(read):
        read.PhotometricInterpretation = photometric
        read.PixelIntensityRelationshipSign = sign
        if sign is None:
            del read.PixelIntensityRelationshipSign

    falls = sign == -1 or (sign is None and photometric == "MONOCHROME1")
    scan = scan_of(changed(single(), shown))
    np.testing.assert_array_equal(scan.high, 65_535 - plane(1) if falls else plane(1))


@pytest.mark.parametrize(
    ("sign", "slope", "intercept", "expected"),
    [
        (1, 1, 0, lambda values: values),
        (1, 2, 0, lambda values: values),
        (1, 2, -2000, lambda values: (values - 1000.0) / 64_535),
        (1, 1, 5000, lambda values: (values + 5000.0) / 70_535),
        (-1, -1, 65_535, lambda values: 65_535 - values),
        (-1, 1, 700, lambda values: 65_535 - values),
        (1, -1, 700, lambda values: values),
    ],
)
def test_a_rescaling_of_intensities_is_undone(sign, slope, intercept, expected):
    def rescaled(read):
        read.PixelIntensityRelationshipSign = sign
        read.RescaleSlope, read.RescaleIntercept = slope, intercept

    found = scan_of(changed(single(), rescaled)).high
    wanted = expected(plane(1))
    if wanted.dtype != np.uint16:
        wanted = np.rint(65_535 * np.clip(wanted, 0.0, 1.0))
    np.testing.assert_array_equal(found, wanted)


def logarithms(read):
    """As of a scanner of 12 bits that stores 0 for a ten-thousandth of its air."""
    read.PixelIntensityRelationship = "LOG"
    read.BitsStored, read.HighBit = 12, 11
    read.PixelData = (plane(1) >> 4).tobytes()


def test_logarithms_for_processing_are_a_plane_where_it_is_known_what_they_span():
    scan = scan_of(changed(single(), logarithms), log_span=np.log(10_000.0))
    light = 10_000.0 ** ((plane(1) >> 4) / 4095.0 - 1.0)
    np.testing.assert_array_equal(scan.high, np.rint(65_535 * light))
    assert (scan.composite, scan.notes) == (None, ())


def test_other_logarithms_are_a_picture_for_the_eye_and_say_so():
    scan = scan_of(changed(single(), logarithms))
    assert (scan.high, scan.notes) == (None, ("logarithm-unknown",))
    np.testing.assert_array_equal(scan.composite, (plane(1) >> 4) >> 4)


def test_a_class_of_dicom_for_processing_is_a_plane_too():
    def of_dicom(read):
        read.SOPClassUID = read.file_meta.MediaStorageSOPClassUID = dicos.DICOM_DX_PROCESSING

    np.testing.assert_array_equal(scan_of(changed(single(), of_dicom)).high, plane(1))


@pytest.mark.parametrize(("flip", "backwards"), [(True, False), (False, True), (True, True)])
def test_the_front_is_column_0(flip, backwards):
    def turned(read):
        read.ImageOrientationPatient = [-1 if backwards else 1, 0, 0, 0, 1, 0]

    scan = scan_of(changed(single(), turned), flip=flip)
    expected = plane(1)[:, ::-1] if flip != backwards else plane(1)
    np.testing.assert_array_equal(scan.high, expected)


def test_the_pitch_follows_from_belt_and_time_where_no_spacing_is_told():
    def without(read):
        del read.ImagerPixelSpacing
        read.TableSpeed, read.AcquisitionDuration = 30.0, 10.0

    scan = scan_of(changed(single(), without))
    assert (scan.pitch_x_mm, scan.pitch_y_mm, scan.pitch_known) == (7.5, 8.0, False)
    assert scan_of(changed(single(), without), pitch_y_mm=5.0).pitch_known


def test_local_time_is_told_by_the_file_or_else_by_the_site():
    def local(read):
        read.TimezoneOffsetFromUTC = "-0600"

    scan = scan_of(changed(single(), local), received_utc_ns=START_UTC_NS + 7 * 3600 * SECOND_NS)
    assert scan.start_utc_ns == START_UTC_NS + 6 * 3600 * SECOND_NS

    def untold(read):
        del read.TimezoneOffsetFromUTC

    assert scan_of(changed(single(), untold), utc_offset_min=60).start_utc_ns == (
        START_UTC_NS - 3600 * SECOND_NS
    )


@pytest.mark.parametrize("file", [high(), low()])
def test_a_plane_without_its_other_says_so(file):
    scan, told = fed(file)
    assert scan.notes == ("missing-plane",)
    assert told.reason == "missing-plane"
    assert scan_of(single()).notes == ()
    (alone,) = fed(file, planes="single")
    assert alone.notes == ()


def test_a_projected_threat_never_rings_as_real():
    scan = scan_of(high(tip_type="FTI"), low())
    assert scan.origin is Origin.SIMULATOR
    assert scan.notes == ("threat-image-projection",)
    assert scan_of(high(tip_type="FTI"), low(), origin=Origin.REPLAY).origin is Origin.REPLAY


def test_what_is_not_operational_never_rings_as_real():
    def not_in_earnest(read):
        read.ScanType = "NON_OPERATIONAL"

    scan = scan_of(changed(single(), not_in_earnest))
    assert (scan.origin, scan.notes) == (Origin.SIMULATOR, ("not-operational",))


def test_a_phantom_is_a_test_piece():
    scan = scan_of(changed(single(), lambda read: setattr(read, "PhantomType", "IEC62523")))
    assert (scan.declared, scan.origin) == ("test-piece", Origin.SENSOR)


def test_uids_that_break_the_rules_are_told_once():
    uid = "0851525727.53382.17589"
    station = driver()
    told = []
    for seed in range(3):
        file = changed(single(plane(seed)), lambda read: setattr(read, "StudyInstanceUID", uid))
        told.append(station.feed(bundle.encode({"a.dcs": file}), LATE_NS))
    assert [[one.reason for one in found[1:]] for found in told] == [["bad-uid"], [], []]
    assert all(not isinstance(found[0], Malformed) for found in told)


def test_what_is_wrong_beside_a_scan_is_told():
    assert reasons(single(scan=replace(SCAN, container="CSQU3054384"))) == ["bad-container"]
    assert reasons(single(), received_utc_ns=START_UTC_NS - 60 * SECOND_NS) == ["clock-ahead"]


def test_a_scan_that_was_read_is_not_read_again_under_another_header():
    station = driver()
    first = station.feed(bundle.encode({"a.dcs": single()}), LATE_NS)
    again = changed(single(), lambda read: setattr(read, "InstitutionName", "elsewhere"))
    (second,) = station.feed(bundle.encode({"b.dcs": again}), LATE_NS)
    assert len(first) == 1
    assert second.reason == "duplicate"


# --- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda read: setattr(read, "OOIType", "PERSON"), "unsupported"),
        (lambda read: setattr(read, "Modality", "TDR"), "unsupported"),
        (lambda read: setattr(read, "PixelRepresentation", 1), "unsupported"),
        (lambda read: setattr(read, "SamplesPerPixel", 3), "unsupported"),
        (lambda read: setattr(read, "PhotometricInterpretation", "RGB"), "unsupported"),
        (lambda read: setattr(read, "NumberOfFrames", 3), "unsupported"),
        (lambda read: setattr(read, "BitsStored", 17), "unsupported"),
        (lambda read: setattr(read, "HighBit", 11), "unsupported"),
        (lambda read: setattr(read, "RescaleIntercept", -60_000), "unsupported"),
        (lambda read: setattr(read, "RescaleSlope", 0), "unsupported"),
        (lambda read: setattr(read, "Rows", 25), "dimension-mismatch"),
        (lambda read: setattr(read, "Columns", 60_000), "too-large"),
        (lambda read: setattr(read, "Rows", 0), "bad-header"),
        (lambda read: delattr(read, "Rows"), "bad-header"),
        (lambda read: delattr(read, "PixelData"), "missing-pixels"),
    ],
)  # fmt: skip
def test_a_picture_that_is_none_is_refused_with_its_reason(change, reason):
    assert reasons(changed(single(), change)) == [reason]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([high(), low(scan=replace(SCAN, scan_id="scan-2"))], "unpaired"),
        ([high(), high(number=3)], "unpaired"),
        ([high(), low(), low(number=3)], "unpaired"),
        ([high(), low(plane(2, rows=25))], "dimension-mismatch"),
        ([high(), b""], "truncated"),
        ([b"\x00" * 4000], "bad-header"),
        ([single()[:-1]], "truncated"),
        ([single()[:700]], "truncated"),
    ],
)
def test_files_that_make_no_scan_are_refused_with_their_reason(files, reason):
    assert reasons(*files) == [reason]


def test_pixels_that_lost_something_are_not_measured_on():
    start = begin(dicos.DX_PROCESSING, "1.2", "1.2.840.10008.1.2.4.50")
    assert reasons(start + b"\x08\x00\x08\x00CS\x00\x00") == ["unsupported"]


def deep(levels):
    """A header with sequences of no told length within each other."""
    start = b"\x08\x00\x10\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return start * levels


def endless(count):
    """A header of so many small elements."""
    return b"".join(b"\x08\x00\x05\x00CS\x00\x00" for _ in range(count))


@pytest.mark.parametrize(
    "extra",
    [
        deep(1000),
        deep(1),
        endless(200_000),
        b"\x08\x00\x10\x11SQ\0\0\xff\xff\xff\x7f",
        b"\xff" * 99,
    ],
)
def test_headers_that_do_not_end_are_refused_at_once(extra):
    file = single()
    at = file.index(b"\x08\x00\x08\x00CS")
    (reason,) = reasons(file[:at] + extra + file[at:])
    assert reason in {"bad-header", "truncated"}


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("name", ["PatientID", "ImageType", "KVP"])
def test_values_of_many_pieces_are_refused_at_once(name, implicit):
    def long(read):
        read[name] = pydicom.DataElement(name, "UN", b"1\\" * (2_000_000 if implicit else 30_000))
        read.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2" if implicit else dicos.EXPLICIT

    read = pydicom.dcmread(io.BytesIO(single()))
    long(read)
    out = io.BytesIO()
    pydicom.dcmwrite(out, read, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    began_s = time.process_time()
    assert reasons(out.getvalue()) == ["bad-header"]
    assert time.process_time() - began_s < 1.0


def test_an_endless_list_of_character_sets_is_refused_at_once():
    file = single()
    at = file.index(b"\x08\x00\x08\x00CS")
    listed = element(0x00080005, "CS", b"1\\" * 30_000)
    began_s = time.process_time()
    assert reasons(file[:at] + listed + file[at:]) == ["bad-header"]
    assert time.process_time() - began_s < 1.0


def test_a_file_without_a_uid_in_its_data_has_one_at_its_beginning():
    file = changed(single(), lambda read: delattr(read, "SOPInstanceUID"))
    assert scan_of(file).scan_id == "scan-1"


def test_a_deflate_bomb_is_refused_before_it_is_unpacked():
    def deflated(read):
        read.file_meta.TransferSyntaxUID = dicos.DEFLATED

    file = changed(single(), deflated)
    body_at = dicos.layout(file).body.index(b"\x08\x00\x08\x00CS")
    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(bytes(30 << 20)) + packer.flush()
    assert reasons(file[:body_at] + bomb) == ["too-large"]


def test_packed_pixels_that_are_none_are_refused(tmp_path):
    file = packed(single(), "JPEGLosslessProcess14_1", tmp_path)
    at = file.index(b"\xff\xd8\xff")
    assert reasons(file[:at] + b"\xff\xd8\xff" + bytes(100) + file[at + 103 :]) == ["unreadable"]


def test_without_pydicom_it_is_said_what_is_needed(monkeypatch):
    monkeypatch.setattr(dicos_reading, "installed", lambda: False)
    (told,) = fed(single())
    assert told.reason == "needs-library"
    assert "garita[dicos]" in told.text


# --- the vendors' own reader and writer ----------------------------------------------------


def test_the_vendors_own_reader_takes_our_file_and_refuses_it_without_any_of_them(tmp_path):
    pydicos = pytest.importorskip("pydicos")
    path = tmp_path / "a.dcs"

    def is_read(file):
        path.write_bytes(file)
        try:
            return pydicos.dcsread(str(path), pydicos.DXLoader())
        except RuntimeError:
            return None

    for file, seed in ((high(), 1), (low(), 2)):
        np.testing.assert_array_equal(is_read(file).get_data(), plane(seed))
    assert len(PICTURE) == 59
    for tag in PICTURE:
        assert is_read(changed(high(), lambda read, tag=tag: read.__delitem__(tag))) is None, hex(
            tag
        )

    def without_version(read):
        del read.file_meta[0x00020004]

    assert is_read(changed(high(), without_version)) is None


@pytest.mark.parametrize(
    "syntax", ["enumLittleEndianExplicit", "enumLosslessJPEG", "enumLosslessRLE"]
)
def test_a_file_of_the_vendors_own_writer_is_read(syntax, tmp_path):
    pytest.importorskip("pydicos")
    sdk = pytest.importorskip("pyDICOS")
    image = pytest.importorskip("pydicos").DXLoader()
    image.Initialize(
        sdk.OBJECT_OF_INSPECTION_TYPE.enumTypeCargo, sdk.PRESENTATION_INTENT_TYPE.enumProcessing
    )
    image.SetKVP(9000)
    image.SetXRayTubeCurrent(1)
    image.set_data(plane(4))
    path = tmp_path / "a.dcs"
    assert image.Write(
        sdk.Filename(str(path)), sdk.ErrorLog(), getattr(sdk.TRANSFER_SYNTAX, syntax)
    )
    scan, *rest = fed(path.read_bytes(), received_utc_ns=0)
    assert [one.reason for one in rest] == ["bad-uid"]
    np.testing.assert_array_equal(scan.high, plane(4))
    assert scan.energies_mev[0] == 9.0
    assert not scan.pitch_known


# --- recorded files --------------------------------------------------------------------------


def test_recorded_files_are_joined_by_their_headers():
    other = replace(SCAN, scan_id="scan-2", end_utc_ns=START_UTC_NS + 9 * SECOND_NS)
    files = [low(), high(plane(3), other), single(scan=replace(SCAN, scan_id="s")), high(), b"junk"]
    form = DicosFile()
    made = form.sets(files)
    assert sorted(numbers for _, numbers in made) == [(0, 3), (1,), (2,), (4,)]
    assert (START_UTC_NS + 8 * SECOND_NS, (0, 3)) in made
    joined = form.joined([("a/same.dcs", files[0]), ("b/same.dcs", files[3])])
    (scan,) = driver().feed(joined, LATE_NS)
    np.testing.assert_array_equal(scan.high, plane(1))


def test_a_recorded_file_is_known_by_its_content():
    assert DicosFile().recognise("anything", single()[:4096])
    assert not DicosFile().recognise("scan.dcs", b"\x00" * 4096)
    ((at, data),) = DicosFile().chunks(single(), "../odd name.dcs")
    assert at == START_UTC_NS + 8000 * MILLISECOND_NS
    (scan,) = driver().feed(data, at)
    assert scan.digests[0][0] == "odd_name.dcs"


def test_the_file_says_the_same_to_pydicom():
    uid, file = dx(plane(1), SCAN, DxOptions(characteristics="HIGH_ENERGY"))
    read = pydicom.dcmread(io.BytesIO(file))
    assert read.SOPInstanceUID == read.file_meta.MediaStorageSOPInstanceUID == uid
    assert read.file_meta[0x00020004].value == "V03"
    np.testing.assert_array_equal(read.pixel_array, plane(1))
    assert read.KVP == 6000
    assert read.OOIType == "CARGO"
