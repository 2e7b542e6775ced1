"""Where work is done: each backend is a `concurrent.futures.Executor`. None of them changes a result.

A task may ask `stopping()` whether it should save what it has and raise `Stopped`. A future whose worker died while it
ran that task ends in `WorkerDied`; the other tasks go on.
"""

import atexit
import concurrent.futures
import contextlib
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import ContextVar
from multiprocessing import resource_tracker
from multiprocessing.reduction import ForkingPickler
from typing import Any, ParamSpec, TypeVar

from .errors import Refused
from .errors import Stopped as Stopped
from .version import __version__

P = ParamSpec("P")
T = TypeVar("T")
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

DEATHS = 3  # of workers on one task, after which Dask gives it up
_SECONDS_TO_ANSWER = 10  # for a scheduler
_SECONDS_BETWEEN_QUESTIONS = 1.0
_SECONDS_BETWEEN_COUNTS = 2.0
_SECONDS_TO_END = 5.0

_asked: ContextVar[Callable[[], bool]] = ContextVar("asked", default=lambda: False)


class WorkerDied(Exception):
    """The process or machine that ran exactly this task died, `deaths` times."""

    def __init__(self, message: str, deaths: int = 1) -> None:
        super().__init__(message)
        self.deaths = deaths


class SchedulerLost(ConnectionError):
    """The Dask scheduler is gone: nothing more can be computed there. What was stored stays."""


class Workers(Executor):
    """An executor whose tasks can be asked to stop."""

    _stopped = False

    @property
    def capacity(self) -> int:
        """How many tasks run at the same time; for Dask it follows the workers that come and go."""
        return 1

    def stop(self) -> None:
        """From now on `stopping()` is true in every task. Safe in a signal handler."""
        self._stopped = True

    def _told(self) -> bool:
        return self._stopped


def stopping() -> bool:
    """Whether the task that asks should save what it has and raise `Stopped`; false outside of a task."""
    return _asked.get()()


def serial() -> Workers:
    """In this thread, one after the other."""
    return _Serial()


def threads(workers: int) -> Workers:
    """Threads of this process; the kernels release the GIL."""
    return _Threads(workers)


def processes(workers: int) -> Workers:
    """Fresh interpreters, for work that Python itself dominates. They leave SIGINT and SIGTERM to this process, and end
    when it ends, however it does. A script that starts them needs `if __name__ == "__main__":`."""
    return _Processes(workers)


def dask(workers: int, scheduler: str | None = None) -> Workers:
    """Workers of the Dask scheduler at an address, or of a cluster on this machine that is started here.

    A task on which workers died three times ends in `WorkerDied` (a scheduler that was started elsewhere counts by its
    own allowed-failures). Refused if Dask is not installed or no scheduler answers within ten seconds.
    """
    distributed = _distributed()
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # SchedulerLost says it in one line
    if scheduler is not None:
        return _Dask(_client(scheduler), None)
    cluster = local_cluster(workers)
    return _Dask(distributed.Client(cluster, set_as_default=False), cluster)


def local_cluster(workers: int) -> Any:
    """A Dask cluster on this machine: processes of one thread each, quiet, on free ports."""
    with _signals_held():
        return _distributed().LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",  # None would take port 8787 for a server without pages
            memory_limit=None,
            silence_logs=logging.CRITICAL,
            scheduler_kwargs={"allowed_failures": DEATHS - 1, "dashboard": False},
        )


def _run(told: Callable[[], bool], function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    token = _asked.set(told)
    try:
        return function(*args, **kwargs)
    finally:
        _asked.reset(token)


class _Serial(Workers):
    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(_run(self._told, function, *args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class _Threads(Workers, ThreadPoolExecutor):
    @property
    def capacity(self) -> int:
        return self._max_workers

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return ThreadPoolExecutor.submit(self, _run, self._told, function, *args, **kwargs)


# processes


class _Processes(_Threads):
    """A thread for each child: it hands over one task at a time and waits, so that a death belongs to that task."""

    def __init__(self, workers: int) -> None:
        ThreadPoolExecutor.__init__(self, workers)
        # not an Event: a child that is killed while it asks would keep its lock
        self._flag = multiprocessing.get_context("spawn").RawValue("b", 0)
        self._idle: deque[_Child] = deque()
        atexit.register(self.shutdown)

    def stop(self) -> None:
        self._flag.value = 1

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return ThreadPoolExecutor.submit(self, self._elsewhere, (function, args, kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        ThreadPoolExecutor.shutdown(self, wait=wait, cancel_futures=cancel_futures)
        if not wait:
            threading.Thread(target=self.shutdown).start()
            return
        children = [self._idle.popleft() for _ in range(len(self._idle))]
        for child in children:
            child.pipe.close()
        for child in children:
            child.end()
        atexit.unregister(self.shutdown)

    def _elsewhere(self, call: Call) -> Any:
        message = bytes(ForkingPickler.dumps(call))
        child = self._child()
        answer = child.ask(message)
        self._idle.append(child)
        result, error = pickle.loads(answer)
        if error is not None:
            raise error
        return result

    def _child(self) -> "_Child":
        while True:
            try:
                child = self._idle.popleft()
            except IndexError:
                return _Child(self._flag)
            if not child.pipe.poll():  # it speaks only when asked: this would be its end
                return child
            child.end()


class _Child:
    """A process that answers one question at a time."""

    def __init__(self, flag: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, flag), name="hopsim worker")
        with _signals_held():
            self.process.start()
        theirs.close()
        self._hear(
            "before its first task; one that ends at once may need `if __name__ == '__main__':` in the script "
            "that starts it"
        )

    def ask(self, message: bytes) -> bytes:
        with contextlib.suppress(OSError):  # then it is not heard either
            self.pipe.send_bytes(message)
        return self._hear("while it ran this task")

    def _hear(self, when: str) -> bytes:
        try:
            return self.pipe.recv_bytes()
        except (EOFError, OSError):
            self.end()
            raise WorkerDied(f"a worker process ended {when} ({_reason(self.process.exitcode)})") from None

    def end(self) -> None:
        self.pipe.close()
        self.process.join(_SECONDS_TO_END)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _serve(pipe: Any, flag: Any) -> None:
    """The life of a child."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):  # the parent closed the pipe
        pipe.send_bytes(b"ready")
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes(), lambda: bool(flag.value)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(message: bytes, told: Callable[[], bool]) -> bytes:
    try:
        function, args, kwargs = pickle.loads(message)
        return bytes(ForkingPickler.dumps((_run(told, function, *args, **kwargs), None)))
    except BaseException as error:
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
        return bytes(ForkingPickler.dumps((None, _portable(error))))


def _portable(error: BaseException) -> BaseException:
    """The error, or its text where it cannot travel."""
    try:
        pickle.loads(ForkingPickler.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _reason(exitcode: int | None) -> str:
    if exitcode == -9:
        return "killed, as a system does that runs out of memory"
    return f"signal {-exitcode}" if exitcode is not None and exitcode < 0 else f"exit code {exitcode}"


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """What is started here never sees SIGINT and SIGTERM, from its first moment: processes and threads inherit it."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # its own start, if it came later, would let them through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# Dask


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise Refused('executor dask needs the package distributed: pip install "hopsim[cluster]"') from None
    return distributed


def _client(address: str) -> Any:
    distributed = _distributed()
    try:
        distributed.comm.get_address_host_port(address)
    except ValueError as error:
        raise Refused(f"the address of a Dask scheduler is like tcp://host:8786, got {address!r}: {error}") from None
    try:
        return distributed.Client(address, timeout=_SECONDS_TO_ANSWER, set_as_default=False)
    except OSError:
        raise Refused(
            f"no Dask scheduler answered at {address} in {_SECONDS_TO_ANSWER} s; give the address that "
            "`dask scheduler` prints, or none for a cluster on this machine"
        ) from None


class _Dask(Workers):
    """Gives Dask as many tasks as its workers have threads and keeps the others here: a death counts against every task
    that waits at the worker, not only against the one that it ran."""

    def __init__(self, client: Any, cluster: Any) -> None:
        self._client, self._cluster, self._address = client, cluster, client.scheduler.address
        self._event = _distributed().Event(f"hopsim-stop-{uuid.uuid4().hex}", client=client)
        self._unfinished: set[Future[Any]] = set()
        self._waiting: deque[tuple[Future[Any], bytes]] = deque()
        self._room, self._under_way, self._closed = _threads_of(client.nthreads()), 0, False
        client.loop.call_later(_SECONDS_BETWEEN_COUNTS, self._count)

    @property
    def capacity(self) -> int:
        return self._room

    def stop(self) -> None:
        self._client.loop.add_callback(self._tell)

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        message = pickle.dumps((function, args, kwargs))
        future: Future[T] = Future()
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)
        self._waiting.append((future, message))
        self._client.loop.add_callback(self._fill)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._closed = True
        if cancel_futures:
            for future in list(self._unfinished):
                future.cancel()
        if not wait:
            threading.Thread(target=self.shutdown).start()
            return
        concurrent.futures.wait(list(self._unfinished))
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    # in the thread of the client from here on

    def _fill(self) -> None:
        while self._waiting and self._under_way < self._room:
            future, message = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                self._under_way += 1
                self._client.loop.add_callback(self._bring, future, message)

    async def _bring(self, future: Future[Any], message: bytes) -> None:
        try:
            future.set_result(await self._result(message))
        except BaseException as error:
            future.set_exception(error)
        finally:
            self._under_way -= 1
            self._fill()

    async def _result(self, message: bytes) -> Any:
        lost = SchedulerLost(f"the Dask scheduler at {self._address} was lost; run again to continue")
        if self._client.status != "running":  # it would never answer
            raise lost
        there = self._client.submit(_there, message, self._event.name, __version__, pure=False)
        try:
            return await there
        except _distributed().scheduler.KilledWorker as error:
            deaths = error.allowed_failures + 1
            raise WorkerDied(f"{deaths} Dask workers died while they ran this task", deaths) from None
        except BaseException:
            if there.status == "error":  # the task's own
                raise
            raise lost from None

    async def _count(self) -> None:
        if self._closed or self._client.status != "running":
            return
        with contextlib.suppress(OSError):
            self._room = _threads_of(await self._client.nthreads())
            self._fill()
        self._client.loop.call_later(_SECONDS_BETWEEN_COUNTS, self._count)

    async def _tell(self) -> None:
        with contextlib.suppress(OSError):
            await self._event.set()


def _threads_of(workers: dict[str, int]) -> int:
    """At least one, for workers that are still to come."""
    return max(1, sum(workers.values()))


def _there(message: bytes, event: str, version: str) -> Any:
    """The task in a Dask worker."""
    if version != __version__:
        raise Refused(f"this Dask worker has hopsim {__version__}, it must be {version} as where the scan is run")
    function, args, kwargs = pickle.loads(message)
    return _run(_Question(event), function, *args, **kwargs)


class _Question:
    """Whether a Dask event is set, or nobody waits for this task any more; asked at most once a second."""

    def __init__(self, event: str) -> None:
        self._event, self._answer, self._asked = event, False, time.monotonic()

    def __call__(self) -> bool:
        if not self._answer and time.monotonic() - self._asked > _SECONDS_BETWEEN_QUESTIONS:
            with contextlib.suppress(OSError):  # a worker that loses its scheduler ends by itself
                self._answer = self._ask()
            self._asked = time.monotonic()
        return self._answer

    def _ask(self) -> bool:
        distributed = _distributed()
        worker = distributed.get_worker()
        cancelled: bool = worker.state.tasks[worker.get_current_task()].state == "cancelled"
        return cancelled or bool(distributed.Event(self._event).is_set())
