"""The text of the formulas, in the spelling of a library that traces arrays."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable
from types import FunctionType

from lrtune.handover import formulas

_KNOWN = {name: each for name, each in vars(formulas).items() if isinstance(each, FunctionType)}
_ARRAY_NAMES = {"min": "minimum", "max": "maximum"}
_TRACED_TOLERANCE = 1e-4
"""Traced numbers have single precision as a rule: seven digits of a time in epochs."""


def needed(names: Iterable[str]) -> list[str]:
    """List formulas with all that they call, in the order in which they are defined."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            words = set(re.findall(r"\b\w+(?=\()", inspect.getsource(_KNOWN[name])))
            waiting.extend(words & _KNOWN.keys() - {name})
    return [each for each in _KNOWN if each in found]


def parameters(name: str) -> list[str]:
    """List which of ``t`` and ``T`` a formula takes."""
    return [each for each in inspect.signature(_KNOWN[name]).parameters if each in ("t", "T")]


def formula_texts(names: Iterable[str]) -> list[str]:
    """Give the definitions of formulas and of all that they call."""
    return [inspect.getsource(_KNOWN[each]).rstrip() for each in needed(names)]


def tolerance_text(texts: Iterable[str], *, traced: bool) -> list[str]:
    """Define the tolerance of jumps if any of the texts needs it."""
    if not any("TOLERANCE" in each for each in texts):
        return []
    value = _TRACED_TOLERANCE if traced else formulas.TOLERANCE
    return [f"TOLERANCE = {value!r}  # in epochs or periods: rounding must not delay a jump"]


def for_arrays(text: str, module: str) -> str:
    """Respell Python for numbers as Python for traced arrays: ``a if c else b`` becomes ``where(c, a, b)``.

    >>> for_arrays("min(t / T, 1.0) if t > 0.0 else math.cos(t)", "jnp")
    'jnp.where(t > 0.0, jnp.minimum(t / T, 1.0), jnp.cos(t))'
    """
    tree = _Traced(module).visit(ast.parse(text))
    return ast.unparse(ast.fix_missing_locations(tree))


class _Traced(ast.NodeTransformer):
    """Replaces what only works on plain numbers; what is known before tracing stays as it is."""

    def __init__(self, module: str) -> None:
        self._module = module

    def _name(self, name: str) -> ast.Attribute:
        return ast.Attribute(ast.Name(self._module, ast.Load()), name, ast.Load())

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if _is_fixed(node.test):
            return node
        return ast.Call(self._name("where"), [node.test, node.body, node.orelse], [])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in _ARRAY_NAMES:
            node.func = self._name(_ARRAY_NAMES[node.func.id])
        elif isinstance(node.func, ast.Attribute) and _is_math(node.func.value):
            node.func = self._name(node.func.attr)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        return node


def _is_math(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "math"


def _is_fixed(test: ast.expr) -> bool:
    """Tell whether a condition is about factors alone."""
    names = {each.id for each in ast.walk(test) if isinstance(each, ast.Name)}
    return not names & {"t", "u", "update"}
