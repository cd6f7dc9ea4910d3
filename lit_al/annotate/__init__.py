"""People label: a page, a terminal, the run behind them, and a model that learns beside it.

| module | what it holds |
|---|---|
| `people` | who labels |
| `project` | a run folder to label, from a file of texts or from an earlier start |
| `desk` | what the page and the terminal ask of the record |
| `writer` | one thread that writes for all |
| `wire`, `tally`, `words` | an event as a client sends it; what stands; progress as sentences |
| `agreement`, `agreeing` | how far several annotators agree; the same beside the page |
| `security` | who may ask what: hosts, origins, tokens, sizes |
| `connections` | how long a connection may say nothing, and how many |
| `app` | the page and its API, as a Starlette application |
| `start` | the server: port, links, browser, signals |
| `beside` | a trainer next to it |
| `terminal` | the same in a terminal |
| `options` | the command lines of all this |
| `learning` | labels in, a ranking of what to label next out |
| `snapshot` | what the record says at one moment, as rows and class numbers |
| `advice` | how good the model is, and whether to go on |
| `weights` | the checkpoints of a run |
| `pulse` | what the trainer is at, for others to see |
| `trainer` | the process that learns |
| `supervisor` | starts it, and starts it again |

A label is committed to the record before anyone is told that it is saved. The process that serves the page never
imports torch: models are trained by another.
"""
