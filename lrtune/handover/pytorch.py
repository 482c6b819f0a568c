"""A schedule in an optimizer of PyTorch, by PyTorch's own ``LambdaLR``; PyTorch is imported here and nowhere else."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from lrtune.text.errors import LrtuneError


def scheduler(
    optimizer: Any,
    *,
    peak: float | None,
    multiplier: Callable[[int], float],
    momentum: Callable[[int], float] | None,
) -> Any:
    """Make a ``torch.optim.lr_scheduler.LambdaLR`` whose ``step()`` is called after every update.

    Parameters
    ----------
    optimizer
        Its groups of parameters keep the ratios of their rates.
    peak
        What the rate becomes that the optimizer was made with; None leaves every rate as it is.
    multiplier, momentum
        The rate of an update, counted from 0, over its peak; and the momentum, or Adam's beta1, if that is moved.

    Raises
    ------
    LrtuneError
        If PyTorch is not installed, or this is none of its optimizers, or one without the momentum that is to move.

    """
    library = _library()
    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(groups, list):
        raise LrtuneError(f"expected an optimizer of PyTorch, got a value of type {type(optimizer).__name__}")
    if momentum is not None and not all("betas" in group or "momentum" in group for group in groups):
        raise LrtuneError(
            f"this schedule moves the momentum, and {type(optimizer).__name__} has none; "
            "cycle_momentum=False leaves it out"
        )
    _set_peaks(groups, getattr(optimizer, "defaults", {}).get("lr"), peak)
    if momentum is None:
        return library.LambdaLR(optimizer, multiplier)
    return _with_momentum(library.LambdaLR, momentum)(optimizer, multiplier)


def _library() -> Any:
    try:
        return importlib.import_module("torch.optim.lr_scheduler")
    except ImportError as error:
        raise LrtuneError("needs PyTorch, which is not installed here: pip install torch") from error


def _with_momentum(base: type, momentum: Callable[[int], float]) -> type:
    """Make a scheduler that sets the momentum with the rates, as PyTorch's own cyclical ones do."""

    class MomentumLR(base):  # type: ignore[misc]  # known when PyTorch is there
        def get_lr(self) -> Any:
            for group in self.optimizer.param_groups:
                value = momentum(self.last_epoch)
                if "betas" in group:
                    group["betas"] = (value, *group["betas"][1:])
                else:
                    group["momentum"] = value
            return super().get_lr()

    return MomentumLR


def _set_peaks(groups: Sequence[dict[str, Any]], usual: float | None, peak: float | None) -> None:
    """Let the rate that the optimizer was made with be the peak; groups with rates of their own keep their ratio to it.

    If no group has that rate, one that has the peak keeps it; if there is none, the largest rate becomes the peak. A
    scheduler that came before has changed rates and kept the first ones, which are meant.
    """
    rates = [float(group.get("initial_lr", group["lr"])) for group in groups]
    made_with = (float(each) for each in (usual, peak) if each is not None)
    reference = next((each for each in made_with if each in rates), max(rates))
    if peak is not None and reference <= 0.0:
        raise LrtuneError("the optimizer has a rate of 0, which has no ratio to others; make it with a rate above 0")
    for group, rate in zip(groups, rates, strict=True):
        group["initial_lr"] = rate if peak is None else peak * (rate / reference)
        if hasattr(group["lr"], "fill_"):  # a tensor, which compiled optimizers hold on to
            group["lr"].fill_(group["initial_lr"])
        else:
            group["lr"] = group["initial_lr"]
