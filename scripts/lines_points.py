"""Where scripts/verify_lines.py looks below the glass lines of p >= 3, at T_R and at T_d."""

from lines_enumeration import Enumeration
from lines_ladders import Ladders
from lines_planting import Planted
from lines_retrieval import Retrieval

SMALL = (14, 16, 18)  # neurons whose states are all enumerated
COLD3 = (0.6, 0.66, 0.73, 0.83, 0.97, 1.2)
COLD4 = (0.54, 0.6, 0.67, 0.77, 0.92, 1.15)
COLD4_ALL = (1.27, 1.45, 1.7, 2.0, 2.4)

LADDERS = (
    Ladders("p3-distinct-frozen", 3, "distinct", 1.0, COLD3, (32, 44, 60), 0.2, rounds=8000, every=20),
    Ladders("p4-distinct-frozen", 4, "distinct", 0.4, COLD4, (24, 28), 0.125, rounds=6000, every=20),
    Ladders("p4-all-frozen", 4, "all", 0.4, COLD4_ALL, (24, 32, 44), 0.25, rounds=800, every=10),
)
ENUMERATIONS = (
    Enumeration("p3-distinct-enumerated", 3, "distinct", 1.0, COLD3[:1], SMALL, 2),
    Enumeration("p4-distinct-enumerated", 4, "distinct", 0.4, COLD4[:1], SMALL, 2),
    Enumeration("p4-all-enumerated", 4, "all", 0.4, COLD4_ALL[:1], SMALL, 2),
)

LONG = {"equilibrate": 100, "measure": 400, "every": 4, "replicas": 4}
SHORT = {"equilibrate": 60, "measure": 200, "every": 4, "replicas": 4}
RETRIEVALS = (
    Retrieval("p2-retrieval-above", 2, "distinct", 0.13, (0.05,), (1000, 2000, 3000), 1, **LONG),
    Retrieval("p3-distinct-retrieval-above", 3, "distinct", 0.1, (0.15,), (128, 192, 256, 384), 0.5, **LONG),
    Retrieval("p3-distinct-retrieval-below", 3, "distinct", 0.12, (0.08,), (192, 256, 384, 512), 0.25, **LONG),
    Retrieval("p3-all-retrieval-above", 3, "all", 0.07, (0.15,), (128, 192, 256, 384), 0.75, **LONG),
    Retrieval("p4-distinct-retrieval-above", 4, "distinct", 0.025, (0.15,), (104, 128, 152), 0.25, **SHORT),
    Retrieval("p4-all-retrieval-above", 4, "all", 0.01, (0.1,), (104, 128, 152), 0.25, **SHORT),
)

PLANTED = {"sweeps": 800, "every": 10, "replicas": 3}
PLANTINGS = (
    Planted("p3-distinct-planted-below", 3, "distinct", 4.0, (1.514,), (80, 112, 160), 0.375, **PLANTED),
    Planted("p3-distinct-planted-above", 3, "distinct", 4.0, (2.0,), (64, 96, 128), 0.125, **PLANTED),
    Planted(
        "p4-distinct-planted-below", 4, "distinct", 2.0, (1.54,), (40, 50, 60), 0.25, sweeps=400, every=10, replicas=3
    ),
    Planted(
        "p4-distinct-planted-above", 4, "distinct", 2.0, (2.6,), (40, 46, 52), 0.25, sweeps=400, every=10, replicas=3
    ),
)

ALL = (*RETRIEVALS, *PLANTINGS, *ENUMERATIONS, *LADDERS)
