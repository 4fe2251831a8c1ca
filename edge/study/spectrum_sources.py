"""Which file of the 2 x 4 x 16 folder is what: truth of the study's records."""

from dataclasses import dataclass

PLUTONIUM = frozenset(("Pu-239", "Pu-238", "Pu-240", "Pu-241", "Pu"))
URANIUM = frozenset(("U-235", "U-238"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A file and what it holds."""

    stem: str
    category: str
    names: frozenset[str]


def _known(category: str, name: str | frozenset[str], *stems: str) -> list[Known]:
    names = frozenset((name,)) if isinstance(name, str) else name
    return [Known(stem=stem, category=category, names=names) for stem in stems]


INDUSTRIAL = [
    *_known("industrial", "Cs-137", "Cs137_Unshielded", "Cs137_Shielded"),
    *_known("industrial", "Co-60", "Co60_Unshielded", "Co60_Shielded"),
    *_known("industrial", "Co-57", "Co57_Unshielded", "Co57_Shielded"),
    *_known("industrial", "Ba-133", "Ba133_Unshielded", "Ba133_Shielded"),
    *_known("industrial", "Ir-192", "Ir192_Unshielded", "Ir192_Shielded"),
    *_known("industrial", "Se-75", "Se75_Unshielded", "Se75_Shielded"),
    *_known("industrial", "Am-241", "Am241_Unshielded", "Am241_Shielded"),
]
MEDICAL = [
    *_known("medical", "Tc-99m", "Tc99m_Phantom"),
    *_known("medical", "I-131", "I131_Phantom"),
    *_known("medical", "Tl-201", "Tl201woTl202_Phantom", "Tl201wTl202_Phantom"),
    *_known("medical", "F-18", "F18_Phantom"),
    *_known("medical", "Ga-67", "Ga67_Phantom"),
    *_known("medical", "In-111", "In111_Phantom"),
    *_known("medical", "I-123", "I123_Phantom"),
]
SNM = [
    *_known("snm", URANIUM, "U235_Unshielded", "U235_Shielded", "U235_Unshielded_9000"),
    *_known("snm", frozenset(("U-233",)), "U233_Unshielded", "U233_Shielded"),
    *_known("snm", frozenset(("Np-237",)), "Np237_Unshielded", "Np237_Shielded"),
    *_known("snm", PLUTONIUM, "Pu239_Unshielded", "Pu239_Shielded"),
]
NEUTRON = _known("industrial", frozenset(("Cf-252", "Cm-244")), "Cf252_Unshielded")
GROUND = {"K-40": "K40_Shielded", "Ra-226": "Ra226_Shielded", "Th-232": "Th232_Shielded"}
THREATS = ("industrial", "snm")
INNOCENT = ("norm", "medical", "background")
