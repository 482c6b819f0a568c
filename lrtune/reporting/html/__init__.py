"""The report of a run: one file of HTML with pictures, which asks for nothing and runs nothing.

::

    charts       what a run has to show, as figures
    figures      what a figure is, as plain values
    page         the file
    predictions  the figure of predictions and truth
    subject      what it is about, read from a folder
    svg          a figure drawn
"""
