"""``lrtune check``."""

from __future__ import annotations

from lrtune.cli.choices import chosen
from lrtune.cli.options import (
    ConfigArgument,
    DataOption,
    EngineOption,
    JsonOption,
    PruningOption,
    QualityOption,
    SeedOption,
    SelectOption,
    SetOption,
    StrategyOption,
    TargetOption,
    TimeoutOption,
    TrialsOption,
    WorkersOption,
    search_settings,
)
from lrtune.cli.outputs import put


def check(
    config: ConfigArgument = None,
    *,
    data: DataOption = None,
    target: TargetOption = None,
    overrides: SetOption = None,
    quality: QualityOption = None,
    trials: TrialsOption = None,
    strategy: StrategyOption = None,
    pruning: PruningOption = None,
    workers: WorkersOption = None,
    engine: EngineOption = None,
    timeout: TimeoutOption = None,
    select: SelectOption = None,
    seed: SeedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Validate an experiment and print its plan; nothing is trained.

    Every mistake in the file is reported at once, with its line. Without mistakes: the task that was found, the rows,
    the columns by type, the number of configurations and fits, and an estimate of time and memory.

    Example: lrtune check configs/penguins.yaml
    """
    from lrtune.reporting import console, plans
    from lrtune.text import written
    from lrtune.trainers.preparation import prepare
    from lrtune.tuning.allowance import as_option, read_allowance
    from lrtune.tuning.planning import plan, refuse_missing_code, unplanned

    shortcuts = search_settings(
        trials=trials,
        strategy=strategy,
        pruning=pruning,
        workers=workers,
        select=select,
        seed=seed,
        engine=engine,
    )
    read_allowance(timeout, called=as_option)
    experiment, table = chosen(config, data, target, overrides, shortcuts, quality=quality)
    refuse_missing_code(experiment)
    if (why := unplanned(experiment)) is not None:
        console.note(why)
        if as_json:
            put(written.json_text({"name": experiment.name, "plan": None, "note": why}))
        return
    made = plan(experiment, prepare(experiment, table=table))
    if as_json:
        put(written.json_text(plans.plan_json(made)))
    else:
        console.show(plans.plan_page(made))
