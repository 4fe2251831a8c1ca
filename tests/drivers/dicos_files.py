"""DICOS files for tests: small DX images, and files with anything about them changed."""

import io

import numpy as np
import pytest

from drivers.wire.dicos_write import ANY_PICTURE
from drivers.wire.sidecar import Sidecar
from simulators.xray_dicos import DxOptions, dx

START_UTC_NS = 1_790_000_000_000_000_000
SCAN = Sidecar(
    scan_id="scan-1",
    start_utc_ns=START_UTC_NS,
    end_utc_ns=START_UTC_NS + 8_000_000_000,
    pitch_x_mm=7.5,
    pitch_y_mm=5.0,
    container="CSQU3054383",
    declared="empty",
)


def plane(seed=1, rows=24, columns=40):
    """Counts of 16 bits."""
    return np.random.default_rng(seed).integers(0, 65_536, (rows, columns), np.uint16)


def high(counts=None, scan=SCAN, **options):
    """A DX file of the high plane."""
    told = {"characteristics": "HIGH_ENERGY", "energy_mev": 6.0, "number": 1} | options
    return dx(plane(1) if counts is None else counts, scan, DxOptions(**told))[1]


def low(counts=None, scan=SCAN, **options):
    """A DX file of the low plane."""
    told = {"characteristics": "LOW_ENERGY", "energy_mev": 4.0, "number": 2} | options
    return dx(plane(2) if counts is None else counts, scan, DxOptions(**told))[1]


def single(counts=None, scan=SCAN, **options):
    """A DX file that is a scan by itself."""
    return high(counts, scan, **{"characteristics": "", **options})


def changed(file, change):
    """The file as pydicom writes it, after `change(dataset)`."""
    pydicom = pytest.importorskip("pydicom")
    read = pydicom.dcmread(io.BytesIO(file))
    change(read)
    out = io.BytesIO()
    read.save_as(out, enforce_file_format=False)
    return out.getvalue()


def packed(file, syntax, folder):
    """The file with its pixels packed by GDCM, which writes no class of DICOS itself."""
    gdcm = pytest.importorskip("gdcm")
    pydicom = pytest.importorskip("pydicom")
    plain, done = str(folder / "plain.dcm"), str(folder / "packed.dcm")

    def as_any_picture(read):
        read.SOPClassUID = read.file_meta.MediaStorageSOPClassUID = ANY_PICTURE
        del read.file_meta[0x00020004]

    (folder / "plain.dcm").write_bytes(changed(file, as_any_picture))
    reader = gdcm.ImageReader()
    reader.SetFileName(plain)
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetImage(change.GetOutput())
    writer.SetFile(reader.GetFile())
    writer.SetFileName(done)
    assert writer.Write()
    made = pydicom.dcmread(done)

    def take(read):
        read.file_meta.TransferSyntaxUID = made.file_meta.TransferSyntaxUID
        read.PixelData = made.PixelData
        read["PixelData"].VR = "OB"
        read["PixelData"].is_undefined_length = True

    return changed(file, take)
