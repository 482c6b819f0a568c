"""Boosted trees with a rate that may fall from round to round, in XGBoost or LightGBM.

lrtune search trees.yaml
python trees.py              # alone, with a constant rate
"""


def train(run):
    """Train as many rounds as the horizon has epochs; each has lrtune's rate."""
    library = {"xgboost": with_xgboost, "lightgbm": with_lightgbm}[run["library"]]
    predicted, save = yield from library(run)
    save(str(run.folder / "model.json"))
    return predicted


def with_xgboost(run):
    import xgboost

    from lrtune.handover.adapters import xgboost_callback

    rows = xgboost.DMatrix(run.train.X, run.train.y)
    held_out = xgboost.DMatrix(run.validation.X, run.validation.y)
    callback = xgboost_callback(run)
    model = yield from callback.reports(
        lambda: xgboost.train(
            {"max_depth": run["depth"], "subsample": 0.8, "nthread": 1, "seed": run.seed},
            rows,
            num_boost_round=run.epochs,
            evals=[(held_out, "validation")] if len(run.validation.y) else None,
            callbacks=[callback],
            verbose_eval=False,
        )
    )
    return model.predict(held_out), model.save_model


def with_lightgbm(run):
    import lightgbm

    from lrtune.handover.adapters import lightgbm_callback

    rows = lightgbm.Dataset(run.train.X, run.train.y)
    held_out = lightgbm.Dataset(run.validation.X, run.validation.y, reference=rows)
    callback = lightgbm_callback(run)
    leaves = {"num_leaves": 2 ** run["depth"], "max_depth": run["depth"], "min_data_in_leaf": 5}
    model = yield from callback.reports(
        lambda: lightgbm.train(
            {**leaves, "bagging_fraction": 0.8, "bagging_freq": 1, "num_threads": 1, "seed": run.seed, "verbosity": -1},
            rows,
            num_boost_round=run.epochs,
            valid_sets=[held_out] if len(run.validation.y) else None,
            valid_names=["validation"] if len(run.validation.y) else None,
            callbacks=callback.callbacks,
        )
    )
    return model.predict(run.validation.X), model.save_model


def predict(run, rows):
    """Predict rows with what `train` saved, for `lrtune predict`."""
    path = str(run.folder / "model.json")
    if run["library"] == "xgboost":
        import xgboost

        return xgboost.Booster(model_file=path).predict(xgboost.DMatrix(rows))
    import lightgbm

    return lightgbm.Booster(model_file=path).predict(rows)


if __name__ == "__main__":
    import xgboost
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    told = {}
    sets = [(xgboost.DMatrix(X[300:], y[300:]), "validation")]
    parameters = {"max_depth": 3, "learning_rate": 0.05}
    xgboost.train(parameters, xgboost.DMatrix(X[:300], y[:300]), 100, evals=sets, evals_result=told, verbose_eval=False)
    print("rmse", told["validation"]["rmse"][-1])
