"""One DICOS instance: what its header says of the picture, and with what it makes a scan."""

from dataclasses import dataclass

from drivers.dicos_header import (
    Header,
    energy_mev,
    is_mirrored,
    is_told,
    is_uid,
    many,
    pitches,
    times,
)
from drivers.dicos_response import Response, response_of
from drivers.wire import dicos

Key = tuple[str, str, str]
"""Object, scan and plane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What one file says of itself."""

    sop_class: str
    instance: str
    """SOP Instance UID."""
    scan: str
    """Study Instance UID, the same for all files of one scan."""
    scan_id: str
    """Study ID, as DICOS has it; empty where none was given."""
    object_id: str
    """Of the object of inspection: a container's number, a text; empty where none was given."""
    object_type: str
    """`CARGO`, `BAGGAGE`, ..., as written."""
    declared: str
    """OOI Type Descriptor, lower case."""
    characteristics: str
    """`high`, `low` or empty: what Image Type says."""
    energy_mev: float | None
    shape: tuple[int, int, int]
    """Frames, rows, columns."""
    bits: tuple[int, int]
    """Allocated, stored."""
    raw: bool
    """Intensities as they were measured, for processing. Else it is a picture for the eye."""
    response: Response
    mirrored: bool
    """Column 0 is the rear, as the image orientation has it."""
    pitch_x_mm: float | None
    pitch_y_mm: float | None
    start_utc_ns: int | None
    end_utc_ns: int | None
    projected: bool
    """TIP Type: a threat was drawn into the picture."""
    exercise: bool
    """A projected threat, or Scan Type says that this was not operational."""
    test_piece: bool
    """Phantom Type: a test object was scanned."""
    bad_uid: str
    """One that breaks DICOM's rules, where there is one."""

    @property
    def role(self) -> str:
        """`""`: a scan by itself, as far as it says; else it is one of two planes."""
        return self.characteristics if self.shape[0] == 1 else ""

    def pair(self, planes: str) -> tuple[Key, Key] | None:
        """(what this is of which scan, what it waits for); None: it is a scan by itself.

        planes  `auto`: it waits where it says that it is one of two; `dual`: always; `single`
        """
        if planes == "single" or self.shape[0] > 1 or (planes == "auto" and not self.role):
            return None
        # Where neither says which it is, the energies tell when both are there.
        other = {"high": "low", "low": "high"}.get(self.role, "")
        return (*self.key, self.role), (*self.key, other)

    @property
    def key(self) -> tuple[str, str]:
        """The same for both planes of a scan: what was scanned, and in which scan."""
        if self.object_id or self.scan_id:  # some writers give each file a study of its own
            return self.object_id, self.scan_id
        return "", self.scan


def instance_of(read: Header, utc_offset_min: int) -> Instance | str:
    """What a header says; a reason where it is no picture of Garita's.

    pydicom converts values as they are asked for, and raises errors of many kinds.
    """

    def text(name: str) -> str:
        value = read.get(name)
        return "" if value is None else str(value).strip()[:200]

    def known(name: str) -> str:
        value = text(name)
        return "" if value.lower() == "unknown" else value

    flags = {str(value).upper() for value in many(read.get("ImageType"))}
    high, low = "HIGH_ENERGY" in flags, "LOW_ENERGY" in flags
    if text("Modality") == "TDR" or read.whole("SamplesPerPixel", 1) != 1:
        return "unsupported"
    photometric = text("PhotometricInterpretation")
    if photometric not in {"MONOCHROME1", "MONOCHROME2"} or read.whole("PixelRepresentation", 0):
        return "unsupported"
    processing = text("SOPClassUID") in {dicos.DX_PROCESSING, dicos.DICOM_DX_PROCESSING}
    intent = text("PresentationIntentType").upper()
    stored = read.whole("BitsStored")
    start, end = times(read, utc_offset_min)
    columns = read.whole("Columns")
    pitch_y_mm, pitch_x_mm = pitches(read, columns)
    uids = [text(name) for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")]
    relation = text("PixelIntensityRelationship").upper()
    response = response_of(read, stored, relation, photometric)
    if response is None or read.whole("HighBit", stored - 1) != stored - 1:
        return "unsupported"
    return Instance(
        sop_class=text("SOPClassUID"),
        instance=uids[0] or read.instance,
        scan=uids[1] or uids[0] or read.instance,
        scan_id=known("StudyID"),
        object_id=known("PatientID"),
        object_type=text("OOIType").upper(),
        declared=text("OOITypeDescriptor").lower(),
        characteristics="high" if high and not low else "low" if low and not high else "",
        energy_mev=energy_mev(read.get("KVP")),
        shape=(read.whole("NumberOfFrames", 1), read.whole("Rows"), columns),
        bits=(read.whole("BitsAllocated"), stored),
        raw=(
            (processing if not intent else intent == "FOR PROCESSING")
            and relation in {"LIN", "LOG", ""}
            and stored > 8
        ),
        response=response,
        mirrored=is_mirrored(read.get("ImageOrientationPatient")),
        pitch_x_mm=pitch_x_mm,
        pitch_y_mm=pitch_y_mm,
        start_utc_ns=start,
        end_utc_ns=end,
        projected=is_told(text("TIPType")),
        exercise=is_told(text("TIPType")) or text("ScanType") == "NON_OPERATIONAL",
        test_piece=is_told(text("PhantomType")),
        bad_uid=next((uid for uid in uids if uid and not is_uid(uid)), ""),
    )
