"""People label: a page, a terminal, and the run behind them.

| module | what it holds |
|---|---|
| `people` | who labels |
| `project` | a run folder to label, from a file of texts or from an earlier start |
| `desk` | what the page and the terminal ask of the record |
| `wire`, `tally`, `words` | an event as a client sends it; what stands; progress as sentences |
| `agreement` | how far several annotators agree |
| `security` | who may ask what: hosts, origins, tokens, sizes |
| `app` | the page and its API, as a Starlette application |
| `start` | the server: port, links, browser, signals |
| `beside` | a trainer next to it |
| `terminal` | the same in a terminal |
| `options` | the command lines of all this |

A label is committed to the record before anyone is told that it is saved. The process that serves the page never
imports torch: models are trained by another.
"""
