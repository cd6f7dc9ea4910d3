"""The cells of a benchmark on many cores or machines, by Ray.

Each group of cells is a task on one core. It streams its rounds back as they are done, and with each the state from
which it can be gone on with. Where a worker or its machine is lost, the group goes on elsewhere after its last round,
so that the cells in work are all that is computed twice. Tasks write nothing: the table is the caller's.
"""

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from lit_al.benchmark.bench import Bench, Group, State, Step
from lit_al.benchmark.bench_config import BenchConfig
from lit_al.benchmark.results_table import Key
from lit_al.data import Corpus
from lit_al.exceptions import ConfigError, LitALError, RunError
from lit_al.utils.cluster import cluster
from lit_al.utils.folders import versions
from lit_al.utils.terminal_text import counted, first_line

LOSSES: Final = 5  # of workers that a group survives between two of its rounds: then the fault is its own
SAME: Final = ("lit_al", "torch", "numpy", "numba")  # versions that change a figure


def computed(
    bench: Bench,
    groups: Sequence[Group],
    done: Collection[Key],
    saved: Mapping[Group, State],
    say: Callable[[str], object],
) -> Iterator[tuple[Group, Step]]:
    """What the groups bring, as it comes, in no particular order.

    Args:
        bench: of the caller, whose corpus and settings the workers get.
        groups: of it.
        done: cells that are known; it may grow while steps are taken from here.
        saved: where a group was left.
        say: prints a line.

    Raises:
        ConfigError: there is no such cluster, or Ray is not installed.
        RunError: a group's workers are lost again and again.
        LitALError: what a worker has met.
    """
    with cluster(str(bench.config.cluster)) as ray:
        cores = int(ray.cluster_resources().get("CPU", 0))
        say(f"cluster: {counted(cores, 'core')} on {counted(len(ray.nodes()), 'machine')}")
        given = ray.put((replace(bench.config, cluster=None), bench.corpus, _versions()))
        task = ray.remote(num_cpus=1, max_retries=0, num_returns="streaming")(_steps)
        states, losses = dict(saved), dict.fromkeys(groups, 0)

        def begin(group: Group) -> Any:
            return task.remote([given], group, frozenset(group.keys.intersection(done)), states.get(group))

        running = {begin(group): group for group in groups}
        while running:
            [stream], _ = ray.wait(list(running), num_returns=1, fetch_local=False)
            group = running[stream]
            try:
                step = ray.get(next(stream))
            except StopIteration:
                del running[stream]
            except ray.exceptions.RayTaskError as error:
                raise _told(error, group) from error
            except ray.exceptions.RayError as error:  # its worker, or the machine, is gone
                del running[stream]
                losses[group] += 1
                if losses[group] > LOSSES:
                    raise RunError(
                        f"workers of {group.row} are lost again and again ({first_line(error)}); give them more "
                        "memory, or leave out --cluster; what is done is in the table"
                    ) from error
                say(f"a worker was lost: {group.row} goes on after its last round")
                running[begin(group)] = group
            else:
                states[group], losses[group] = step.state, 0
                yield group, step


def _told(error: Any, group: Group) -> LitALError:
    """What a worker has met, as if it had been met here."""
    cause = error.cause
    if isinstance(cause, LitALError):
        return cause
    return RunError(f"{group.row} failed on a worker ({first_line(cause)}); run it without --cluster to see where")


def _versions() -> dict[str, str]:
    found = versions()
    return {name: found[name] for name in SAME}


# --- On a worker ------------------------------------------------------------------------------------------------------


def _steps(given: list[Any], group: Group, done: frozenset[Key], state: State | None) -> Iterator[Step]:
    """The task: `given` holds a reference, so that Ray hands it over as it is and a worker unpacks it once."""
    yield from _bench(given[0]).compute(group, done, state)


@lru_cache(maxsize=1)
def _bench(given: Any) -> Bench:
    """The benchmark of this worker, which it keeps from one task to the next."""
    import ray

    from lit_al.utils.silence import quiet

    quiet()
    config, corpus, wanted = ray.get(given)
    return _made(config, corpus, wanted)


def _made(config: BenchConfig, corpus: Corpus, wanted: Mapping[str, str]) -> Bench:
    """Raises ConfigError where this worker would compute other figures than the others."""
    here = _versions()
    if others := [name for name in SAME if here[name] != wanted[name]]:
        raise ConfigError(
            f"a worker has {', '.join(f'{name} {here[name]}, not {wanted[name]}' for name in others)}; install the "
            "same versions on every machine of the cluster"
        )
    return Bench(config, corpus, Path(tempfile.mkdtemp(prefix="lit_al-")))
