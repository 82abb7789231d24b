"""First come, first served."""

import threading
import time

import pytest

from node.client.patience import OutOfTime, Patience
from node.client.turns import Turns


def test_in_the_order_of_their_coming() -> None:
    turns, order = Turns(), list[int]()

    def take(number: int) -> None:
        with turns.taken():
            order.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(10)]
    with turns.taken():
        for count, thread in enumerate(threads, 1):
            thread.start()
            while len(turns._queue) < count:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(10))


def test_one_that_takes_it_again_and_again_keeps_nobody_out() -> None:
    turns, rounds, done = Turns(), [0], threading.Event()

    def greedy() -> None:
        while not done.is_set():
            with turns.taken():
                rounds[0] += 1
                time.sleep(0.001)

    thread = threading.Thread(target=greedy)
    thread.start()
    while not rounds[0]:
        time.sleep(0.001)
    for _ in range(20):
        before = rounds[0]
        with turns.taken():
            assert rounds[0] - before <= 2
    done.set()
    thread.join()


def test_the_one_that_has_it_may_take_it_again() -> None:
    turns = Turns()
    with turns.taken(), turns.taken(Patience(0.0)):
        pass
    with turns.taken(Patience(10.0)):
        pass


def test_who_gives_up_is_out_of_the_line() -> None:
    turns = Turns()
    caught: list[Exception] = []

    def impatient() -> None:
        try:
            with turns.taken(Patience(0.1)):
                pass
        except OutOfTime as exc:
            caught.append(exc)

    with turns.taken():
        thread = threading.Thread(target=impatient)
        thread.start()
        thread.join()
    assert "busy" in str(caught[0])
    with turns.taken(Patience(10.0)):
        pass


def test_an_error_gives_it_back() -> None:
    turns = Turns()
    with pytest.raises(KeyError), turns.taken():
        raise KeyError
    got: list[bool] = []

    def take() -> None:
        with turns.taken(Patience(10.0)):
            got.append(True)

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    assert got == [True]
