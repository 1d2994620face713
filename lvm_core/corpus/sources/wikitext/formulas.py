"""LaTeX to a few plain characters that can stand in a sentence."""

import re

MAX_FORMULA_CHARS = 60

_WORDS = re.compile(r"\\(?:mathrm|text|mathbf|mathit|operatorname|displaystyle|textstyle|left|right|,|;|!|:|quad)")
_SYMBOLS = {
    "times": "×", "cdot": "·", "pi": "π", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "theta": "θ",
    "lambda": "λ", "mu": "μ", "sigma": "σ", "omega": "ω", "phi": "φ", "epsilon": "ε", "leq": "≤", "geq": "≥",
    "le": "≤", "ge": "≥", "neq": "≠", "approx": "≈", "pm": "±", "in": "∈", "infty": "∞", "to": "→", "rightarrow": "→",
    "sum": "∑", "Delta": "Δ", "Omega": "Ω", "rho": "ρ", "varphi": "φ", "varepsilon": "ε", "psi": "ψ", "nu": "ν",
    "tau": "τ", "eta": "η", "ldots": "…", "dots": "…", "cup": "∪", "cap": "∩", "subset": "⊂", "subseteq": "⊆",
    "wedge": "∧", "vee": "∨",
}  # fmt: skip
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_SUPERSCRIPT = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")


def formula(latex: str) -> str:
    """Return a short formula as plain characters, a long one or one of unknown commands as an ellipsis."""
    if len(latex) > 10 * MAX_FORMULA_CHARS:
        return "…"
    text = _WORDS.sub(" ", latex)
    text = re.sub(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)", text)
    text = re.sub(r"\((\w+)\)/\((\w+)\)", r"\1/\2", re.sub(r"\\sqrt\{([^{}]*)\}", r"√(\1)", text))
    text = _COMMAND.sub(lambda match: _SYMBOLS.get(match[1], match[0]), text)
    text = re.sub(r"\^\{?([0-9n+-]+)\}?", lambda match: match[1].translate(_SUPERSCRIPT), text)
    text = re.sub(r"_\{?(\w+)\}?", r"\1", text).replace("{", "").replace("}", "")
    text = " ".join(text.split()).rstrip(",.;")
    return text if len(text) <= MAX_FORMULA_CHARS and "\\" not in text else "…"
