"""Pages for people and files for programs: a result in, text out.

::

    afterwards         where the files of a run are, and what can be done next
    annotations        gates as annotations of GitHub Actions
    answer             what a search found in about ten plain sentences, the same for the terminal and for files
    api_reference      writes ``docs/api.md`` from the public names of the package
    blocks             what a page is made of, as plain values
    branches           how the kinds of decay and optimizer that a search tried compare
    console            the terminal
    delivered          what the page of a search says of the model that is handed over
    details            everything that a search found, as plain blocks
    evaluated          a model on labelled rows, beside what its search expected
    export             files that were asked for by name
    figures            figures as PNG, SVG or HTML
    health             the health report
    html               the report: one file with pictures
    importance         which dimensions mattered, as a page and as JSON
    in_words           configurations and metrics in words
    judgements         how good the choice is and why it was chosen, as sentences and rows of the page that shows it
    junit              a search and its gates as a JUnit report
    listed             trials and runs among others, as values
    listing            tables of many
    live               progress while a search runs
    nested             what second opinions say: fresh splits, and nested cross-validation
    night_words        what a night came to, in a sentence or two
    nightly            the history of all nights as a page and a picture
    pages              the page of a search: ten to thirteen lines in plain words
    paired             what two trainings that differ in one thing say
    parameters         the search space as other tools see it
    plans              what `lrtune check` says
    progress           how far a search is, counted from its events
    rate_curves        validation loss against rate in the terminal
    rate_figures       the figure of the learning-rate finder, as Vega-Lite: the one door of altair
    rate_files         the files of the learning-rate finder
    rate_page          what the finder says, as a page
    rates              what the finder found, for programs and figures
    reference          writes what the documentation says about decay types and optimizers
    retrained          what a retrained trial is, for a file and as a page
    savings            what pruning has saved, in one line of the page
    scaling            how the best rate goes with a size, as numbers and as sentences
    scaling_page       the same as a page
    schedule_figures   figures of schedules, as Vega-Lite
    schedules          what `lrtune schedules` says
    served_page        the report as a page that follows its run
    serving            serves that page to browsers
    several_schedules  several schedules beside each other
    status             how far a run is
    summary            a page of the terminal as Markdown, which the summaries of CI servers show
    tables             configurations in one line, and tables of trials
    terminal_plots     curves in the terminal
    to_mlflow          a run as runs of MLflow
    to_optuna          a run as an Optuna study, in a SQLite file that optuna-dashboard opens
    versus             two trials beside each other, of two runs or of one
    versus_page        that comparison as a page
    warmups            whether warm-up is needed
    worth              whether tuning was worth it, and whether decay is
"""
