"""What each measure is, in words, and where its definition comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["mm", "degrees", "%"]

BODIES = "Vertebral bodies"
PANJABI = "Panjabi et al., Human lumbar vertebrae: quantitative three-dimensional anatomy, Spine 17 (1992)"
BLACK = "six-point morphometry: Black et al., J Bone Miner Res 6 (1991)"
FROBIN = (
    "Frobin et al., Precision measurement of disc height, vertebral height and sagittal plane "
    "displacement from lateral"
    " radiographic views of the lumbar spine, Clin Biomech 12 (1997)"
)
LEGAYE = "Legaye et al., Pelvic incidence, Eur Spine J 7 (1998)"
AT = {"anterior": "10% of the endplates' depth behind their front edges", "middle": "in the middle of both endplates",
      "posterior": "10% of the endplates' depth in front of their back edges"}  # fmt: skip


@dataclass(frozen=True)
class Definition:
    """title: for people. meaning: a sentence. source: where others define it so. group: of a table."""

    key: str
    title: str
    unit: Unit
    meaning: str
    source: str
    group: str


def _heights(what: str, title: str, where: str, source: str, group: str) -> list[Definition]:
    return [
        Definition(
            f"{what}_height_{place}", f"{title} height, {place}", "mm", f"{where} {at}.", source, group
        )
        for place, at in AT.items()
    ]


def _endplates() -> list[Definition]:
    found = []
    for which, words in (("superior", "Upper"), ("inferior", "Lower")):
        found += [
            Definition(
                f"{which}_endplate_width", f"{words} endplate, width", "mm",
                "The endplate's full extent from left to right.", PANJABI, BODIES,
            ),
            Definition(
                f"{which}_endplate_depth", f"{words} endplate, depth", "mm",
                "From its back edge to its front edge in the mid-sagittal plane.", PANJABI, BODIES,
            ),
        ]  # fmt: skip
    return found


_ALL = [
    *_heights("body", "Body", "From the lower to the upper endplate in the mid-sagittal plane,", BLACK, BODIES),
    Definition(
        "wedge_angle", "Wedge angle", "degrees",
        "Between both endplates of a vertebra, seen from the side; positive where the body is taller in "
        "front. An endplate"
        " has the direction of the plane of its edge.", "the vertebral part of Cobb's angle; " + FROBIN,
        BODIES,
    ),
    *_endplates(),
    Definition(
        "canal_depth", "Canal, depth", "mm",
        "In the mid-sagittal plane, from the back of the body to the nearest place of the arch: the bony "
        "canal, without "
        "discs and ligaments.", "Eisenstein, J Bone Joint Surg Br 59 (1977); " + PANJABI, "Canal and pedicles",
    ),
    Definition(
        "pedicle_width", "Pedicle, width", "mm",
        "The least width between the inner and the outer wall, in the plane across the vertebra's axis at half the "
        "pedicle's height.", "transverse isthmus width: Zindrick et al., Spine 12 (1987)", "Canal and pedicles",
    ),
    *_heights("disc", "Disc", "Between both neighbours' endplates in their mid-sagittal planes,", FROBIN, "Discs"),
    Definition(
        "disc_angle", "Disc angle", "degrees",
        "Between the endplates that face each other, seen from the side; positive where they open to the front.",
        FROBIN, "Discs",
    ),
    Definition(
        "slip", "Slip", "mm",
        "How far the lower back corner of the upper vertebra lies in front of the upper back corner of the "
        "lower one, along "
        "the lower one's endplate; negative behind it.", "Dupuis et al., Spine 10 (1985); " + FROBIN, "Discs",
    ),
    Definition(
        "slip_percent", "Slip, share of the endplate", "%",
        "The slip in percent of the depth of the lower vertebra's upper endplate.",
        "Taillard, J Bone Joint Surg Br 36 (1954)", "Discs",
    ),
    Definition(
        "lumbar_lordosis", "Lumbar lordosis", "degrees",
        "Between the upper endplates of L1 and S1, seen from the side; positive is lordosis. Lying, where "
        "the image was "
        "taken so.", "Cobb's angle L1 to S1: Vialle et al., J Bone Joint Surg Am 87 (2005)", "Alignment",
    ),
    Definition(
        "head_radius", "Femoral head, radius", "mm",
        "Of the sphere that fits the surface of the head best (least squares); its centre is the hip's centre.",
        "as the International Society of Biomechanics recommends: Wu et al., J Biomech 35 (2002)", "Femora",
    ),
    Definition(
        "neck_shaft_angle", "Neck-shaft angle", "degrees",
        "Between the neck's axis (head centre to the centre of the neck's narrowest section) and the shaft's "
        "axis (through "
        "the centres of seven sections, 4 to 7 radii of the head below its centre), in space.",
        "caput-collum-diaphyseal angle: M. E. Müller (1957), in space instead of on a film", "Femora",
    ),
    Definition(
        "anteversion", "Anteversion", "degrees",
        "Seen along the shaft's axis, between the neck's axis and the line that touches both condyles from "
        "behind; positive "
        "where the neck points forwards.", "Murphy et al., J Bone Joint Surg Am 69 (1987)", "Femora",
    ),
    Definition(
        "hip_centre_distance", "Hip centres, distance", "mm",
        "Between the centres of both hip joints: of the femoral heads' spheres, or of the sockets' where "
        "there are no "
        "femora.", "Wu et al., J Biomech 35 (2002)", "Pelvis",
    ),
    Definition(
        "pelvic_incidence", "Pelvic incidence", "degrees",
        "Seen along the axis through both hip centres, between the perpendicular to the sacral endplate in "
        "its middle and "
        "the line from there to the middle of the hip centres.", LEGAYE, "Pelvis",
    ),
    Definition(
        "pelvic_tilt", "Pelvic tilt", "degrees",
        "Between the vertical and the line from the middle of the sacral endplate to the middle of the hip centres; "
        "positive where the hips are in front. The vertical is the patient's long axis in the image, as for "
        "lying, not "
        "gravity.", LEGAYE, "Pelvis",
    ),
    Definition(
        "sacral_slope", "Sacral slope", "degrees",
        "Between the sacral endplate and the horizontal, which is across the patient's long axis in the image.",
        LEGAYE, "Pelvis",
    ),
]  # fmt: skip

DEFINITIONS: dict[str, Definition] = {one.key: one for one in _ALL}
"""By key, in the order of tables."""
