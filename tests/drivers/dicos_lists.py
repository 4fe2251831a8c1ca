"""Attributes without which the vendors' own reader of DICOS refuses a file.

Each was found by leaving it out of a file that the reader takes; tests do it again where that
reader is installed.
"""

PICTURE = (
    0x00080008,  # ImageType
    0x00080012,  # InstanceCreationDate
    0x00080013,  # InstanceCreationTime
    0x00080016,  # SOPClassUID
    0x00080018,  # SOPInstanceUID
    0x00080020,  # StudyDate
    0x00080021,  # SeriesDate
    0x00080023,  # ContentDate
    0x00080030,  # StudyTime
    0x00080031,  # SeriesTime
    0x00080033,  # ContentTime
    0x00080060,  # Modality
    0x00080068,  # PresentationIntentType
    0x00080070,  # Manufacturer
    0x00080080,  # InstitutionName
    0x00080081,  # InstitutionAddress
    0x00080118,  # MappingResourceUID
    0x00081010,  # StationName
    0x00081090,  # ManufacturerModelName
    0x00082108,  # not in the DICOM dictionary
    0x00100020,  # PatientID
    0x00100021,  # IssuerOfPatientID
    0x00100022,  # TypeOfPatientID
    0x00180060,  # KVP
    0x00181000,  # DeviceSerialNumber
    0x00181020,  # SoftwareVersions
    0x00181200,  # DateOfLastCalibration
    0x00181201,  # TimeOfLastCalibration
    0x00187004,  # DetectorType
    0x00188151,  # XRayTubeCurrentInuA
    0x00189309,  # TableSpeed
    0x0020000D,  # StudyInstanceUID
    0x0020000E,  # SeriesInstanceUID
    0x00200010,  # StudyID
    0x00200013,  # InstanceNumber
    0x00200032,  # ImagePositionPatient
    0x00200037,  # ImageOrientationPatient
    0x00280002,  # SamplesPerPixel
    0x00280004,  # PhotometricInterpretation
    0x00280010,  # Rows
    0x00280011,  # Columns
    0x00280100,  # BitsAllocated
    0x00280101,  # BitsStored
    0x00280102,  # HighBit
    0x00280103,  # PixelRepresentation
    0x00280301,  # BurnedInAnnotation
    0x00281040,  # PixelIntensityRelationship
    0x00281041,  # PixelIntensityRelationshipSign
    0x00281052,  # RescaleIntercept
    0x00281053,  # RescaleSlope
    0x00281054,  # RescaleType
    0x00282110,  # LossyImageCompression
    0x00400555,  # AcquisitionContextSequence
    0x4010103A,  # DICOSVersion
    0x40101042,  # OOIType
    0x40101044,  # AcquisitionStatus
    0x40101048,  # ScanType
    0x40101062,  # BeltHeight
    0x43000902,  # not in the DICOM dictionary
)
"""Of a DX image, besides its Pixel Data: 59."""

REPORT = (
    0x00080012,  # InstanceCreationDate
    0x00080013,  # InstanceCreationTime
    0x00080016,  # SOPClassUID
    0x00080018,  # SOPInstanceUID
    0x00080020,  # StudyDate
    0x00080021,  # SeriesDate
    0x00080023,  # ContentDate
    0x00080030,  # StudyTime
    0x00080031,  # SeriesTime
    0x00080033,  # ContentTime
    0x00080060,  # Modality
    0x00080070,  # Manufacturer
    0x00080080,  # InstitutionName
    0x00080081,  # InstitutionAddress
    0x00081010,  # StationName
    0x00081090,  # ManufacturerModelName
    0x00081110,  # ReferencedStudySequence
    0x00100020,  # PatientID
    0x00100021,  # IssuerOfPatientID
    0x00100022,  # TypeOfPatientID
    0x00181000,  # DeviceSerialNumber
    0x00181020,  # SoftwareVersions
    0x00181200,  # DateOfLastCalibration
    0x00181201,  # TimeOfLastCalibration
    0x0020000D,  # StudyInstanceUID
    0x0020000E,  # SeriesInstanceUID
    0x00200010,  # StudyID
    0x00200013,  # InstanceNumber
    0x00200052,  # FrameOfReferenceUID
    0x00201040,  # PositionReferenceIndicator
    0x40101011,  # ThreatSequence
    0x40101024,  # AbortFlag
    0x40101027,  # TDRType
    0x40101029,  # ThreatDetectionAlgorithmAndVersion
    0x4010102B,  # AlarmDecisionTime
    0x40101031,  # AlarmDecision
    0x40101033,  # NumberOfTotalObjects
    0x40101034,  # NumberOfAlarmObjects
    0x4010103A,  # DICOSVersion
    0x40101042,  # OOIType
    0x40101044,  # AcquisitionStatus
    0x40101048,  # ScanType
    0x40101069,  # TotalProcessingTime
    0x4010106D,  # AdditionalScreeningPerformed
    0x40101075,  # ImageScaleRepresentation
)
"""Of a Threat Detection Report."""

THREAT = (
    0x40101010,  # PotentialThreatObjectID
    0x40101038,  # ATDAssessmentSequence
    0x40101080,  # not in the DICOM dictionary
    0x40101081,  # not in the DICOM dictionary
    0x40101082,  # not in the DICOM dictionary
)
"""Of each of its threats."""

ASSESSMENT = (
    0x40101012,  # ThreatCategory
    0x40101014,  # ATDAbilityAssessment
    0x40101015,  # ATDAssessmentFlag
)
"""Of each assessment of a threat."""
