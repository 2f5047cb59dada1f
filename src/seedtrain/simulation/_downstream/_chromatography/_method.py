"""The Rosenbrock method of the column: RODASP, order 4(3), stiffly accurate, without loss of order at boundaries.

**Source** Steinebach 1995, preprint 1741, TH Darmstadt (RODASP); the form without products with the Jacobian is that of
Hairer & Wanner 1996, Solving Ordinary Differential Equations II, section IV.7. Its order is tested.
"""

from __future__ import annotations

from typing import Final

import numpy as np

GAMMA: Final = 0.25
ORDER: Final = 4
NODES: Final = np.array([0.0, 0.75, 0.21, 0.63, 1.0, 1.0])
GAMMAS: Final = np.array([0.25, -0.5, -0.023504, -0.0362, 0.0, 0.0])
_A5: Final = (-7.170454962423024, -4.741636671481785, -16.31002631330971, -1.062004044111401)
A: Final = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [3.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [1.831036793486759, 0.4955183967433795, 0.0, 0.0, 0.0, 0.0],
        [2.304376582692669, -0.05249275245743001, -1.176798761832782, 0.0, 0.0, 0.0],
        [*_A5, 0.0, 0.0],
        [*_A5, 1.0, 0.0],
    ]
)
C: Final = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-12.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-8.791795173947035, -2.207865586973518, 0.0, 0.0, 0.0, 0.0],
        [10.81793056857153, 6.780270611428266, 19.53485944642410, 0.0, 0.0, 0.0],
        [34.19095006749676, 15.49671153725963, 54.74760875964130, 14.16005392148534, 0.0, 0.0],
        [34.62605830930532, 15.30084976114473, 56.99955578662667, 18.40807009793095, -5.714285714285717, 0.0],
    ]
)
