"""LaTeX to a few plain characters that can stand in a sentence."""

import re
from functools import cache
from typing import Any

MAX_FORMULA_CHARS, MAX_BRACES = 60, 40

_LAYOUT = "mathrm|text|boldsymbol|mathbf|mathit|operatorname|displaystyle|textstyle|left|right|quad|qquad"
_WORDS = re.compile(rf"\\(?:(?:{_LAYOUT})(?![A-Za-z])|[,;!: ])")
_SYMBOLS = {
    "times": "×", "cdot": "·", "pi": "π", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "theta": "θ",
    "lambda": "λ", "mu": "μ", "sigma": "σ", "omega": "ω", "phi": "φ", "epsilon": "ε", "leq": "≤", "geq": "≥",
    "le": "≤", "ge": "≥", "neq": "≠", "approx": "≈", "pm": "±", "in": "∈", "infty": "∞", "to": "→", "rightarrow": "→",
    "sum": "∑", "Delta": "Δ", "Omega": "Ω", "rho": "ρ", "varphi": "φ", "varepsilon": "ε", "psi": "ψ", "nu": "ν",
    "tau": "τ", "eta": "η", "ldots": "…", "dots": "…", "cup": "∪", "cap": "∩", "subset": "⊂", "subseteq": "⊆",
    "wedge": "∧", "vee": "∨",
}  # fmt: skip
_NESTED = re.compile(r"\\(?:[dtc]?frac|sqrt|binom)(?![A-Za-z])")
"""Fractions and roots that are left hold others, and would lose their brackets."""
_TERM = re.compile(r"([_^])\{([^{}\\]*[^\w{}\\][^{}\\]*)\}")
"""An index or exponent of several parts, such as i,j: it needs its brackets."""
_TOWER = re.compile(r"\^\{[^{}]*\^")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_SUPERSCRIPT = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")


def formula(latex: str) -> str:
    """Return a short formula as plain characters, a long one as an ellipsis."""
    if len(latex) > 10 * MAX_FORMULA_CHARS or latex.count("{") > MAX_BRACES or "\\begin" in latex:
        return "…"
    text = _WORDS.sub(" ", latex)
    text = re.sub(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)", text)
    text = re.sub(r"\((\w+)\)/\((\w+)\)", r"\1/\2", re.sub(r"\\sqrt\{([^{}]*)\}", r"√(\1)", text))
    if _NESTED.search(text):
        return "…"
    if _TOWER.search(text):
        if text.count("{") != text.count("^{"):
            return "…"
        text = text.replace("{", "(").replace("}", ")")
    text = _COMMAND.sub(lambda match: _SYMBOLS.get(match[1], match[0]), text)
    text = re.sub(r"\^\{?([0-9n+-]+)\}?", lambda match: match[1].translate(_SUPERSCRIPT), text)
    text = re.sub(r"_\{?(\w+)\}?", r"\1", _TERM.sub(r"\1(\2)", text))
    text = _other_commands(text) if "\\" in text else text.replace("{", "").replace("}", "")
    text = " ".join(text.split()).rstrip(",.;")
    return text if text and len(text) <= MAX_FORMULA_CHARS and "\\" not in text else "…"


def _other_commands(latex: str) -> str:
    """Return LaTeX whose commands are not among ours as plain characters."""
    return str(_converter().latex_to_text(latex))


@cache
def _converter() -> Any:
    from pylatexenc import latex2text

    context = latex2text.get_default_latex_context_db()
    # A command that nobody knows must not vanish from the formula: the backslash shows it.
    context.set_unknown_macro_spec(latex2text.MacroTextSpec("", simplify_repl="\\\\"))
    return latex2text.LatexNodes2Text(math_mode="text", strict_latex_spaces="based-on-source", latex_context=context)
