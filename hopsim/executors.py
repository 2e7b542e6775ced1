"""Where work is done: each backend is a `concurrent.futures.Executor`. None of them changes a result."""

import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class _Serial(Executor):
    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def serial() -> Executor:
    """In this thread, one after the other."""
    return _Serial()


def threads(workers: int) -> Executor:
    """Threads of this process; the kernels release the GIL."""
    return ThreadPoolExecutor(workers)


def processes(workers: int) -> Executor:
    """Fresh interpreters, for work that Python itself dominates. Ctrl-C is left to the parent."""
    context = multiprocessing.get_context("spawn")
    ignore = (signal.SIGINT, signal.SIG_IGN)
    return ProcessPoolExecutor(workers, mp_context=context, initializer=signal.signal, initargs=ignore)
