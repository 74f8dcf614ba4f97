"""Workers: the targets of many flows learned several at a time, each in a process.

What comes out is the same as one after the other.  The workers end with what they work for: when it is
interrupted, fails, or is killed.  One that is killed itself, as the system does when memory is short, is a
MemoryError.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from threading import Thread

from fl0p_py.learn.corpus import EMPTY, Corpus
from fl0p_py.learn.learner import Learner
from fl0p_py.learn.lesson import Options
from fl0p_py.learn.stage import Progress, silent
from fl0p_py.learn.target import BACKGROUND, Target, sides, targets

WORTH_PROCESSES = 1_000
"""Flows from which on several targets are learned at a time."""

STAGE = "learning"


def learners(
    corpus: Corpus,
    options: Options,
    *,
    wanted: Sequence[Target] | None = None,
    progress: Progress = silent,
) -> list[Learner]:
    """One for each target of the corpus's labels, its lesson learned.

    Targets that the same flows speak for and against, as of two facets that always go together, are learned
    once.
    """
    named = [label for label in corpus.labels if label != BACKGROUND]
    chosen = targets(named) if wanted is None else list(wanted)
    first: dict[tuple[bytes, bool], Target] = {}
    alike = [first.setdefault((sides(corpus, one).tobytes(), one.exact), one) for one in chosen]
    different = list(first.values())
    workers = min(len(os.sched_getaffinity(0)), len(different))
    if workers < 2 or len(corpus) < WORTH_PROCESSES:
        learned = _one_by_one(corpus, options, different, progress)
    else:
        learned = _side_by_side(workers, corpus, options, different, progress)
    return [
        learned[same] if target is same else learned[same].of(target)
        for target, same in zip(chosen, alike, strict=True)
    ]


def _one_by_one(
    corpus: Corpus, options: Options, chosen: Sequence[Target], progress: Progress
) -> dict[Target, Learner]:
    learned: dict[Target, Learner] = {}
    for target in chosen:
        progress(STAGE, len(learned), len(chosen))
        learned[target] = Learner(corpus, target, options)
        learned[target].lesson()
    return learned


def _side_by_side(
    workers: int, corpus: Corpus, options: Options, chosen: Sequence[Target], progress: Progress
) -> dict[Target, Learner]:
    """Those with most flows are begun first, so that none is left to run alone in the end."""
    flows = {target: int((sides(corpus, target) > 0).sum()) for target in chosen}
    learned: dict[Target, Learner] = {}
    others = set(active_children())
    fork = get_context("fork")
    with ProcessPoolExecutor(workers, fork, initializer=_begin, initargs=(corpus, options)) as pool:
        try:
            order = sorted(chosen, key=flows.__getitem__, reverse=True)
            waiting = {pool.submit(_taught, target): target for target in order}
            progress(STAGE, 0, len(chosen))
            for done in as_completed(waiting):
                learner = done.result()
                learner.attach(corpus)
                learned[waiting[done]] = learner
                progress(STAGE, len(learned), len(chosen))
        except BaseException as error:
            for child in set(active_children()) - others:
                child.terminate()
            if isinstance(error, BrokenProcessPool):
                raise MemoryError from None
            raise
    return learned


_shared: list[tuple[Corpus, Options]] = []
"""Of a worker: what all its targets are learned from."""


def _begin(corpus: Corpus, options: Options) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C goes to all; who waits for the workers ends them
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()
    _shared[:] = [(corpus, options)]


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None  # of a worker
    parent.join()
    os._exit(1)


def _taught(target: Target) -> Learner:
    corpus, options = _shared[0]
    learner = Learner(corpus, target, options)
    learner.lesson()
    learner.attach(EMPTY)  # the parent has the corpus
    return learner
