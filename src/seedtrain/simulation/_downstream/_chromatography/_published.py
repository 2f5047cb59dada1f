"""The load-wash-elute example that the field compares solvers by: three proteins and salt, steric mass action."""

from __future__ import annotations

from typing import Final

from seedtrain.simulation._downstream._chromatography._bed import Bed, Inlet
from seedtrain.simulation._downstream._chromatography._isotherm import StericMassAction

PUETTMANN_2013: Final = "Puettmann, Schnittert, Naumann & von Lieres 2013, Comput. Chem. Eng. 56:46-57"

BED: Final = Bed(
    length=0.014,
    porosity=0.37,
    dispersivity=1e-4,  # 5.75e-8 m2/s at 5.75e-4 m/s
    bead_radius=4.5e-5,
    bead_porosity=0.75,
    film=(6.9e-6,) * 4,
    pore_diffusion=(7e-10, 6.07e-11, 6.07e-11, 6.07e-11),
)
ISOTHERM: Final = StericMassAction(
    sites=1200.0,
    charge=(4.7, 5.29, 3.7),
    shielding=(11.83, 10.6, 10.0),
    equilibrium=(35.5e-3, 1.59e-3, 7.7e-3),  # k_a over k_d = 1000
)
INITIAL: Final = (50.0, 0.0, 0.0, 0.0)
_U: Final = 5.75e-4
INLETS: Final = (
    Inlet(10.0, _U, (50.0, 1.0, 1.0, 1.0)),
    Inlet(80.0, _U, INITIAL),
    Inlet(1410.0, _U, (100.0, 0.0, 0.0, 0.0), slope=(0.2, 0.0, 0.0, 0.0)),
)
