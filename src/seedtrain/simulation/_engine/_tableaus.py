"""Coefficients of the methods, and what tests verify of them.

Rosenbrock methods solve (1/(h gamma) - J) u_i = f(t + c_i h, y + sum a_ij u_j) + sum C_ij u_j / h + h d_i df/dt; the
last two stages start where the one before them ended, the last is the error estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Row = tuple[float, ...]


def _row(text: str) -> Row:
    return tuple(float(item) for item in text.split())


@dataclass(frozen=True)
class Rosenbrock:
    """A stiffly accurate Rosenbrock method: `order`, coefficients, and rows of the dense output."""

    order: int
    gamma: float
    a: tuple[Row, ...]
    C: tuple[Row, ...]
    c: Row
    d: Row
    dense: tuple[Row, ...]

    @property
    def stages(self) -> int:
        """How many stages a step has."""
        return len(self.c)


# Rodas5P: Steinebach 2023, Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks within the Julia
# Differential Equations package, BIT Numerical Mathematics 63:27, doi:10.1007/s10543-023-00967-x.
RODAS5P: Final = Rosenbrock(
    order=5,
    gamma=0.21193756319429014,
    a=(
        (),
        _row("3.0"),
        _row("2.849394379747939 0.45842242204463923"),
        _row("-6.954028509809101 2.489845061869568 -10.358996098473584"),
        _row("2.8029986275628964 0.5072464736228206 -0.3988312541770524 -0.04721187230404641"),
        _row("-7.502846399306121 2.561846144803919 -11.627539656261098 -0.18268767659942256 0.030198172008377946"),
    ),
    C=(
        (),
        _row("-14.155112264123755"),
        _row("-17.97296035885952 -2.859693295451294"),
        _row("147.12150275711716 -1.41221402718213 71.68940251302358"),
        _row("165.43517024871676 -0.4592823456491126 42.90938336958603 -5.961986721573306"),
        _row("24.854864614690072 -3.0009227002832186 47.4931110020768 5.5814197821558125 -0.6610691825249471"),
        _row(
            "30.91273214028599 -3.1208243349937974 77.79954646070892 34.28646028294783 -19.097331116725623 "
            "-28.087943162872662"
        ),
        _row(
            "37.80277123390563 -3.2571969029072276 112.26918849496327 66.9347231244047 -40.06618937091002 "
            "-54.66780262877968 -9.48861652309627"
        ),
    ),
    c=(0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0),
    d=_row("0.21193756319429014 -0.42387512638858027 -0.3384627126235924 1.8046452872882734 2.325825639765069 0 0 0"),
    dense=(
        _row(
            "25.948786856663858 -2.5579724845846235 10.433815404888879 -2.3679251022685204 0.524948541321073 "
            "1.1241088310450404 0.4272876194431874 -0.17202221070155493"
        ),
        _row(
            "-9.91568850695171 -0.9689944594115154 3.0438037242978453 -24.495224566215796 20.176138334709044 "
            "15.98066361424651 -6.789040303419874 -6.710236069923372"
        ),
        _row(
            "11.419903575922262 2.8879645146136994 72.92137995996029 80.12511834622643 -52.072871366152654 "
            "-59.78993625266729 -0.15582684282751913 4.883087185713722"
        ),
    ),
)


@dataclass(frozen=True)
class Explicit:
    """An explicit pair whose last stage is the first of the next step; `error` and `dense` weigh h times the rates."""

    order: int
    a: tuple[Row, ...]
    c: Row
    error: Row
    dense: tuple[Row, ...]

    @property
    def stages(self) -> int:
        """How many stages a step has."""
        return len(self.c)


def _dormand_prince() -> Explicit:
    """Dormand & Prince 1980, doi:10.1016/0771-050X(80)90013-3; dense output of Hairer, Norsett & Wanner 1993, II.6."""
    b = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0.0)
    embedded = (5179 / 57600, 0.0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40)
    d = (
        -12715105075 / 11282082432,
        0.0,
        87487479700 / 32700410799,
        -10690763975 / 1880347072,
        701980252875 / 199316789632,
        -1453857185 / 822651844,
        69997945 / 29380423,
    )
    # The published interpolant, sorted by powers as `Rosenbrock.dense` is.
    first, last = (1.0, *[0.0] * 6), (*[0.0] * 6, 1.0)
    dense = (
        tuple(f - w for f, w in zip(first, b, strict=True)),
        tuple(2 * w - f - g + e for w, f, g, e in zip(b, first, last, d, strict=True)),
        tuple(-e for e in d),
    )
    return Explicit(
        order=5,
        a=(
            (),
            (1 / 5,),
            (3 / 40, 9 / 40),
            (44 / 45, -56 / 15, 32 / 9),
            (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
            (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
            b[:6],
        ),
        c=(0.0, 0.2, 0.3, 0.8, 8 / 9, 1.0, 1.0),
        error=tuple(w - v for w, v in zip(b, embedded, strict=True)),
        dense=dense,
    )


DORMAND_PRINCE: Final = _dormand_prince()
