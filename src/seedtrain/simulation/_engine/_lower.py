"""The kernel's language, a typed part of Python's, as text of LLVM's intermediate representation.

Why not numba: it takes seconds to import and to compile what LLVM compiles in tenths of a second, and its loops over
lanes vectorise only where LLVM proves that they may. Here a vector is a type, nothing is reassociated, and one lane
does what each of eight does, bit for bit.

Types: `D` float64, `V` a vector of them (one per lane), `I` int64, `B` and `M` a truth value and a vector of them, `P`,
`PI` and `PB` addresses of float64, int64 and int8. A function's parameters and result are annotated with them; a
variable has the type of what it is given first. `get(p, i)` and `put(p, i, v)` move the i-th vector at an address,
`p[i]` and `p[i] = d` one number; `shift(p, i)` is the address i numbers further on.
"""

from __future__ import annotations

import ast
import struct
from dataclasses import dataclass, field
from typing import Final

from seedtrain.base import parse_python
from seedtrain.simulation._engine._maths import CLOSED, MATHS, vector_type

_PLAIN: Final = {"D": "double", "I": "i64", "B": "i1", "P": "ptr", "PI": "ptr", "PB": "ptr", "N": "void"}
_ELEMENT: Final = {"P": ("D", "double"), "PI": ("I", "i64"), "PB": ("I", "i8")}
_FLOATS: Final = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
_WHOLES: Final = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.FloorDiv: "sdiv", ast.Mod: "srem"}
_SIGNS: Final = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}
_INTRINSICS: Final = {"sqrt": "llvm.sqrt", "abs": "llvm.fabs", "floor": "llvm.floor"}


@dataclass(frozen=True)
class Value:
    """A value of the intermediate representation."""

    kind: str
    text: str


@dataclass(frozen=True)
class Signature:
    """What a function takes and gives."""

    name: str
    parameters: tuple[str, ...]
    result: str


@dataclass
class Unit:
    """One module under construction.

    `lanes` per vector; `fused` where the processor multiplies and adds at once; `spread` where the lanes are
    trajectories (`at` and `set` then move vectors, else numbers).
    """

    lanes: int
    fused: bool = True
    spread: bool = False
    functions: list[str] = field(default_factory=list)
    signatures: dict[str, Signature] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)
    needs: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)

    def kind(self, kind: str) -> str:
        """A type's text."""
        if kind == "V":
            return vector_type(self.lanes, "double")
        if kind == "M":
            return vector_type(self.lanes, "i1")
        return _PLAIN[kind]

    def table(self, name: str, size: int) -> None:
        """Room for whole numbers that outlasts a call, under the name `table_NAME`."""
        self.tables[name] = size
        self.functions.append(f"@table_{name} = internal global [{size} x i64] zeroinitializer, align 64")

    def constants(self, name: str, values: list[int]) -> None:
        """Constant whole numbers under the name `table_NAME`."""
        self.tables[name] = len(values)
        items = ", ".join(f"i64 {value}" for value in values) or "i64 0"
        self.functions.append(f"@table_{name} = internal constant [{max(len(values), 1)} x i64] [{items}], align 64")

    def add(self, text: str, *, public: bool = False, attributes: str = "") -> None:
        """Lower the functions of a text."""
        tree = parse_python(text)
        definitions = [item for item in tree.body if isinstance(item, ast.FunctionDef)]
        for item in definitions:
            parameters = tuple(str(ast.unparse(a.annotation)) for a in item.args.args if a.annotation)
            result = ast.unparse(item.returns) if item.returns else "N"
            self.signatures[item.name] = Signature(item.name, parameters, result)
        for item in definitions:
            self.functions.append(_Function(self, item).lower(public=public, attributes=attributes))

    def module(self) -> str:
        """The whole text, with the functions of mathematics that it needs."""
        found = [MATHS.text(name, lanes) for name, lanes in sorted(MATHS.closure(self.needs, self.lanes))]
        return "\n\n".join([*found, *self.functions])


def _exact(value: float) -> str:
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


class _Function:
    """One function: names given a value once are that value, others have a place on the stack."""

    def __init__(self, unit: Unit, tree: ast.FunctionDef) -> None:
        self.unit = unit
        self.tree = tree
        self.signature = unit.signatures[tree.name]
        self.code: list[str] = []
        self.slots: list[str] = []
        self.values: dict[str, Value] = {}
        self.places: dict[str, str] = {}
        self.loops: list[tuple[str, str]] = []
        self.count = 0
        self.ended = False
        self.assigned: dict[str, int] = {}
        for item in ast.walk(tree):
            targets: list[ast.expr] = []
            if isinstance(item, ast.Assign):
                targets = item.targets
            elif isinstance(item, (ast.AugAssign, ast.For)):
                targets = [item.target, item.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    self.assigned[target.id] = self.assigned.get(target.id, 0) + 1

    def lower(self, *, public: bool, attributes: str) -> str:
        kinds = [self.unit.kind(kind) for kind in self.signature.parameters]
        names = [item.arg for item in self.tree.args.args]
        for name, kind in zip(names, self.signature.parameters, strict=True):
            self.values[name] = Value(kind, f"%{name}")
            assert name not in self.assigned, f"{self.tree.name}: parameter {name} is assigned"
        self.block(self.tree.body)
        if not self.ended:
            assert self.signature.result == "N", self.tree.name
            self.emit("ret void")
        given = ", ".join(f"{kind} %{name}" for kind, name in zip(kinds, names, strict=True))
        how = "" if public else "internal "
        head = (
            f"define {how}{self.unit.kind(self.signature.result)} @{self.tree.name}({given}) {attributes} {CLOSED} {{"
        )
        return "\n".join([head, "entry:", *self.slots, *self.code, "}"])

    # -- writing -----------------------------------------------------------------------------------------------------

    def emit(self, text: str) -> None:
        if not self.ended:
            self.code.append(f"  {text}")
            self.ended = text.startswith(("br ", "ret "))

    def make(self, kind: str, text: str) -> Value:
        self.count += 1
        self.emit(f"%x{self.count} = {text}")
        return Value(kind, f"%x{self.count}")

    def label(self, name: str) -> None:
        if not self.ended:
            self.emit(f"br label %{name}")
        self.code.append(f"{name}:")
        self.ended = False

    def fresh(self, word: str) -> str:
        self.count += 1
        return f"{word}{self.count}"

    # -- statements --------------------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt]) -> None:
        for item in body:
            self.statement(item)

    def statement(self, item: ast.stmt) -> None:
        match item:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.assign(name, self.value(value))
            case ast.Assign(targets=[ast.Subscript() as target], value=value):
                self.store(target, self.value(value))
            case ast.AugAssign(target=target, op=op, value=value):
                read = parse_python(ast.unparse(target), "eval").body
                found = self.binary(self.value(read), op, self.value(value))
                if isinstance(target, ast.Name):
                    self.assign(target.id, found)
                else:
                    assert isinstance(target, ast.Subscript)
                    self.store(target, found)
            case ast.If(test=test, body=body, orelse=orelse):
                self.branch(test, body, orelse)
            case ast.While(test=test, body=body):
                self.loop(test, body)
            case ast.For(target=ast.Name(id=name), iter=ast.Call(args=args), body=body):
                self.count_loop(name, [self.value(a) for a in args], body)
            case ast.Return(value=None):
                self.emit("ret void")
            case ast.Return(value=ast.expr() as value):
                found = self.value(value)
                self.emit(f"ret {self.unit.kind(found.kind)} {found.text}")
            case ast.Expr(value=ast.Call() as call):
                self.value(call)
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case ast.Break():
                self.emit(f"br label %{self.loops[-1][1]}")
            case ast.Continue():
                self.emit(f"br label %{self.loops[-1][0]}")
            case _:
                raise AssertionError(ast.unparse(item))

    def assign(self, name: str, value: Value) -> None:
        if self.assigned[name] == 1:
            self.values[name] = value
            return
        if name not in self.places:
            self.places[name] = value.kind
            self.slots.append(f"  %s_{name} = alloca {self.unit.kind(value.kind)}, align 64")
        value = self.turned(value, self.places[name])
        self.emit(f"store {self.unit.kind(value.kind)} {value.text}, ptr %s_{name}")

    def store(self, target: ast.Subscript, value: Value) -> None:
        base, index = self.value(target.value), self.value(target.slice)
        kind, element = _ELEMENT[base.kind]
        value = self.turned(value, kind)
        if element == "i8":
            value = self.make("I", f"trunc i64 {value.text} to i8")
        place = self.make("P", f"getelementptr {element}, ptr {base.text}, i64 {index.text}")
        self.emit(f"store {element} {value.text}, ptr {place.text}, align {1 if element == 'i8' else 8}")

    def branch(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]) -> None:
        yes, no, end = self.fresh("then"), self.fresh("else"), self.fresh("end")
        self.emit(f"br i1 {self.value(test).text}, label %{yes}, label %{no}")
        self.label(yes)
        self.block(body)
        finished = self.ended
        if not finished:
            self.emit(f"br label %{end}")
        self.label(no)
        self.block(orelse)
        finished = finished and self.ended
        if not self.ended:
            self.emit(f"br label %{end}")
        if not finished:
            self.label(end)

    def loop(self, test: ast.expr, body: list[ast.stmt]) -> None:
        head, inside, end = self.fresh("while"), self.fresh("do"), self.fresh("done")
        self.label(head)
        self.emit(f"br i1 {self.value(test).text}, label %{inside}, label %{end}")
        self.label(inside)
        self.loops.append((head, end))
        self.block(body)
        self.loops.pop()
        self.emit(f"br label %{head}")
        self.label(end)

    def count_loop(self, name: str, bounds: list[Value], body: list[ast.stmt]) -> None:
        start, stop = bounds[:2] if len(bounds) > 1 else (Value("I", "0"), bounds[0])
        step = bounds[2] if len(bounds) > 2 else Value("I", "1")
        down = step.text.startswith("-")
        head, inside, after, end = (self.fresh(word) for word in ("for", "each", "next", "over"))
        self.assign(name, start)
        self.label(head)
        now = self.name(name)
        test = self.make("B", f"icmp {'sgt' if down else 'slt'} i64 {now.text}, {stop.text}")
        self.emit(f"br i1 {test.text}, label %{inside}, label %{end}")
        self.label(inside)
        self.loops.append((after, end))
        self.block(body)
        self.loops.pop()
        self.label(after)
        self.assign(name, self.make("I", f"add nsw i64 {self.name(name).text}, {step.text}"))
        self.emit(f"br label %{head}")
        self.label(end)

    # -- expressions -------------------------------------------------------------------------------------------------

    def value(self, item: ast.expr) -> Value:
        match item:
            case ast.Constant(value=bool() as known):
                return Value("B", "true" if known else "false")
            case ast.Constant(value=int() as known):
                return Value("I", str(known))
            case ast.Constant(value=float() as known):
                return Value("D", _exact(known))
            case ast.Name(id=name):
                return self.name(name)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as known)):
                return Value("I", str(-known))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                found = self.value(operand)
                if found.kind == "I":
                    return self.make("I", f"sub i64 0, {found.text}")
                return self.make(found.kind, f"fneg {self.unit.kind(found.kind)} {found.text}")
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.make("B", f"xor i1 {self.value(operand).text}, true")
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(self.value(left), op, self.value(right))
            case ast.BoolOp(op=op, values=values):
                return self.short(isinstance(op, ast.And), values)
            case ast.Compare(left=left, ops=[sign], comparators=[right]):
                return self.compare(self.value(left), sign, self.value(right))
            case ast.Subscript(value=base, slice=index):
                return self.element(self.value(base), self.value(index))
            case ast.Call(func=ast.Name(id=name), args=args):
                return self.call(name, [self.value(a) for a in args])
        raise AssertionError(ast.unparse(item))

    def name(self, name: str) -> Value:
        if name in self.values:
            return self.values[name]
        if name.startswith("table_"):
            assert name.removeprefix("table_") in self.unit.tables, name
            return Value("PI", f"@{name}")
        assert name in self.places, f"{self.tree.name}: {name} is not set"
        kind = self.places[name]
        return self.make(kind, f"load {self.unit.kind(kind)}, ptr %s_{name}")

    def turned(self, value: Value, kind: str) -> Value:
        """A value as another type: whole numbers to floats, one number to all lanes."""
        if value.kind == kind:
            return value
        if value.kind == "I" and kind in ("D", "V"):
            value = self.make("D", f"sitofp i64 {value.text} to double")
        if value.kind == "D" and kind == "V":
            if self.unit.lanes == 1:
                return Value("V", value.text)
            whole = self.unit.kind("V")
            if not value.text.startswith("%"):
                return Value("V", f"splat (double {value.text})")
            one = self.make("V", f"insertelement {whole} poison, double {value.text}, i64 0")
            zeros = f"<{self.unit.lanes} x i32> zeroinitializer"
            return self.make("V", f"shufflevector {whole} {one.text}, {whole} poison, {zeros}")
        if value.kind == "V" and kind == "D" and self.unit.lanes == 1:
            return Value("D", value.text)
        if value.kind == "B" and kind == "M" and self.unit.lanes == 1:
            return Value("M", value.text)
        assert value.kind == kind, f"{self.tree.name}: {value} is not of type {kind}"
        return value

    def common(self, left: Value, right: Value) -> tuple[Value, Value]:
        for kind in ("V", "D"):
            if kind in (left.kind, right.kind):
                return self.turned(left, kind), self.turned(right, kind)
        return left, right

    def binary(self, left: Value, op: ast.operator, right: Value) -> Value:
        left, right = self.common(left, right)
        if left.kind in ("M", "B"):
            sign = {ast.BitAnd: "and", ast.BitOr: "or"}[type(op)]
            return self.make(left.kind, f"{sign} {self.unit.kind(left.kind)} {left.text}, {right.text}")
        if left.kind == "I" and type(op) in _WHOLES:
            return self.make("I", f"{_WHOLES[type(op)]} i64 {left.text}, {right.text}")
        if left.kind == "I":  # a quotient of whole numbers
            left, right = self.turned(left, "D"), self.turned(right, "D")
        return self.make(left.kind, f"{_FLOATS[type(op)]} {self.unit.kind(left.kind)} {left.text}, {right.text}")

    def compare(self, left: Value, sign: ast.cmpop, right: Value) -> Value:
        left, right = self.common(left, right)
        word = _SIGNS[type(sign)]
        if left.kind == "B":
            return self.make("B", f"icmp {word} i1 {left.text}, {right.text}")
        if left.kind == "I":
            return self.make("B", f"icmp {word if word in ('eq', 'ne') else 's' + word} i64 {left.text}, {right.text}")
        order = "une" if word == "ne" else "o" + word
        kind = "M" if left.kind == "V" else "B"
        return self.make(kind, f"fcmp {order} {self.unit.kind(left.kind)} {left.text}, {right.text}")

    def short(self, both: bool, values: list[ast.expr]) -> Value:
        """`and` and `or`, the later only where it matters."""
        place = self.fresh("s_short")
        self.slots.append(f"  %{place} = alloca i1")
        end = self.fresh("decided")
        for number, item in enumerate(values):
            found = self.value(item)
            self.emit(f"store i1 {found.text}, ptr %{place}")
            if number < len(values) - 1:
                more = self.fresh("more")
                yes, no = (more, end) if both else (end, more)
                self.emit(f"br i1 {found.text}, label %{yes}, label %{no}")
                self.label(more)
        self.label(end)
        return self.make("B", f"load i1, ptr %{place}")

    def element(self, base: Value, index: Value) -> Value:
        kind, element = _ELEMENT[base.kind]
        place = self.make("P", f"getelementptr {element}, ptr {base.text}, i64 {index.text}")
        found = self.make(kind, f"load {element}, ptr {place.text}, align {1 if element == 'i8' else 8}")
        return self.make("I", f"sext i8 {found.text} to i64") if element == "i8" else found

    def call(self, name: str, given: list[Value]) -> Value:
        known = getattr(self, f"call_{name}", None)
        if known is not None:
            found: Value = known(*given)
            return found
        if name in _INTRINSICS or name in MATHS.names:
            return self.mathematics(name, given)
        name = self.unit.aliases.get(name, name)
        signature = self.unit.signatures[name]
        assert len(given) == len(signature.parameters), f"{self.tree.name} calls {name}"
        turned = [self.turned(v, kind) for v, kind in zip(given, signature.parameters, strict=True)]
        text = ", ".join(f"{self.unit.kind(v.kind)} {v.text}" for v in turned)
        if signature.result == "N":
            self.emit(f"call void @{name}({text})")
            return Value("N", "")
        return self.make(signature.result, f"call {self.unit.kind(signature.result)} @{name}({text})")

    def mathematics(self, name: str, given: list[Value]) -> Value:
        kind = "V" if any(v.kind == "V" for v in given) else "D"
        lanes = self.unit.lanes if kind == "V" else 1
        whole = vector_type(lanes, "double")
        text = ", ".join(f"{whole} {self.turned(v, kind).text}" for v in given)
        if name in _INTRINSICS:
            suffix = "f64" if lanes == 1 else f"v{lanes}f64"
            return self.make(kind, f"call {whole} @{_INTRINSICS[name]}.{suffix}({text})")
        self.unit.needs.add(f"{name}/{lanes}")
        return self.make(kind, f"call {whole} @{name}_{lanes}({text})")

    def call_fma(self, a: Value, b: Value, c: Value) -> Value:
        kind = "V" if "V" in (a.kind, b.kind, c.kind) else "D"
        a, b, c = (self.turned(v, kind) for v in (a, b, c))
        if not self.unit.fused:
            return self.binary(self.binary(a, ast.Mult(), b), ast.Add(), c)
        lanes = self.unit.lanes if kind == "V" else 1
        whole, suffix = vector_type(lanes, "double"), "f64" if lanes == 1 else f"v{lanes}f64"
        return self.make(kind, f"call {whole} @llvm.fma.{suffix}({whole} {a.text}, {whole} {b.text}, {whole} {c.text})")

    def call_select(self, test: Value, then: Value, other: Value) -> Value:
        if test.kind == "M":
            then, other = self.turned(then, "V"), self.turned(other, "V")
        else:
            then, other = self.common(then, other)
        kind = self.unit.kind(then.kind)
        return self.make(
            then.kind, f"select {self.unit.kind(test.kind)} {test.text}, {kind} {then.text}, {kind} {other.text}"
        )

    def call_get(self, base: Value, index: Value) -> Value:
        place = self.vector_place(base, index)
        return self.make("V", f"load {self.unit.kind('V')}, ptr {place.text}, align {8 * self.unit.lanes}")

    def call_put(self, base: Value, index: Value, value: Value) -> Value:
        value = self.turned(value, "V")
        place = self.vector_place(base, index)
        self.emit(f"store {self.unit.kind('V')} {value.text}, ptr {place.text}, align {8 * self.unit.lanes}")
        return Value("N", "")

    def vector_place(self, base: Value, index: Value) -> Value:
        return self.make("P", f"getelementptr {self.unit.kind('V')}, ptr {base.text}, i64 {index.text}")

    def call_at(self, base: Value, index: Value) -> Value:
        """The state's number or vector at an address, whichever the unit has."""
        return self.call_get(base, index) if self.unit.spread else self.element(base, index)

    def call_set(self, base: Value, index: Value, value: Value) -> Value:
        if self.unit.spread:
            return self.call_put(base, index, value)
        place = self.make("P", f"getelementptr double, ptr {base.text}, i64 {index.text}")
        self.emit(f"store double {self.turned(value, 'D').text}, ptr {place.text}, align 8")
        return Value("N", "")

    def call_shift(self, base: Value, index: Value) -> Value:
        return self.make(base.kind, f"getelementptr {_ELEMENT[base.kind][1]}, ptr {base.text}, i64 {index.text}")

    def call_numbers_at(self, place: Value) -> Value:
        return self.make("P", f"inttoptr i64 {place.text} to ptr")

    def call_wholes_at(self, place: Value) -> Value:
        return self.make("PI", f"inttoptr i64 {place.text} to ptr")

    def call_bytes_at(self, place: Value) -> Value:
        return self.make("PB", f"inttoptr i64 {place.text} to ptr")

    def call_call_outside(self, place: Value, *given: Value) -> Value:
        """Call the function at an address: it takes a number and addresses, and gives nothing."""
        function = self.make("P", f"inttoptr i64 {place.text} to ptr")
        text = ", ".join(f"{self.unit.kind(v.kind)} {v.text}" for v in given)
        self.emit(f"call void {function.text}({text})")
        return Value("N", "")

    def call_all_lanes(self, value: Value) -> Value:
        return self.turned(value, "V")

    def call_any(self, test: Value) -> Value:
        if self.unit.lanes == 1 or test.kind == "B":
            return Value("B", test.text)
        bits = self.make("I", f"bitcast {self.unit.kind('M')} {test.text} to i{self.unit.lanes}")
        return self.make("B", f"icmp ne i{self.unit.lanes} {bits.text}, 0")

    def call_highest(self, value: Value) -> Value:
        """The largest of the lanes; not-a-number where one is."""
        if self.unit.lanes == 1:
            return Value("D", value.text)
        whole = self.unit.kind("V")
        return self.make("D", f"call double @llvm.vector.reduce.fmaximum.v{self.unit.lanes}f64({whole} {value.text})")

    def call_whole(self, value: Value) -> Value:
        """A finite number without its fraction."""
        return self.make("I", f"fptosi double {value.text} to i64")
