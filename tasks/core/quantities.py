"""Amounts of resources as Kubernetes writes them."""

import re
from decimal import Decimal

__all__ = ["parse_quantity"]

_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)")
_FACTORS = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40),
}  # fmt: skip


def parse_quantity(text: object) -> Decimal:
    """Read a quantity as Kubernetes writes it (`100m`, `256Mi`); 0 where it is none."""
    match = _QUANTITY.fullmatch(str(text))
    return Decimal(match[1]) * _FACTORS.get(match[2], Decimal(1)) if match else Decimal(0)
