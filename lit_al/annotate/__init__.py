"""People label: a page, a terminal, the run behind them, and a model that learns beside it.

A label is committed to the record before anyone is told that it is saved. The process that serves the page never
imports torch: models are trained by another.
"""
