"""People label: a page, and a model that learns beside it in a process of its own.

| module | what it holds |
|---|---|
| `learning` | labels in, a ranking of what to label next out |
| `snapshot` | what the record says at one moment, as rows and class numbers |
| `advice` | how good the model is, and whether to go on |
| `weights` | the checkpoints of a run |
| `pulse` | what the trainer is at, for others to see |
| `trainer` | the process that learns |
| `supervisor` | starts it, and starts it again |
"""
