"""The report of a run, one file of HTML with pictures, which asks for nothing and runs nothing; and its pictures alone.

::

    catalogue      every figure: its name, its title, and what makes it
    classes        figures of predicted classes
    comparison     several runs on one page
    curves         the figure of learning curves
    figures        what a figure is, as plain values
    finding        the figure of the finder
    folds          figures of the folds
    marks          series as parts of an SVG
    nights         the figure of the nights
    overview       figures of the answer
    page           the file
    parallel       the figure of the best trials in all dimensions
    pictures       single figures as files and in notebooks
    predictions    what is predicted for rows that were not trained on
    probabilities  figures of predicted probabilities
    scaling        the figure of how the best rate goes with a size
    scales         from values to places on the paper
    schedule       the figure of the rates of the best
    sections       figures as parts of a page
    space          figures of the space
    style          colours and rules
    subject        what a report is about, read from a folder
    svg            a panel drawn
    tiles          the first look
    trials         figures of the search
    values         figures of predicted values
"""
