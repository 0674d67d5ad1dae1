"""Networks of actions: critical path against brute force, slack, risks with reasons, load by month, slips."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.circles import in_order
from app.domain.schedule import (
    Action,
    Risk,
    ScheduleCircle,
    State,
    Why,
    effort,
    find_risks,
    load_by_month,
    plan_schedule,
    slip,
)

_TODAY = date(2026, 3, 10)


def _on(days: int) -> date:
    return _TODAY + timedelta(days=days)


def _lasting(name: str, days: int, *after: str) -> Action:
    """An action of so many days without days of its own: one hour a day."""
    return Action(name, after=after, hours=float(days), hours_week=7.0)


@st.composite
def _networks(draw: st.DrawFn, *, dated: bool = False) -> list[Action]:
    size = draw(st.integers(1, 6))
    actions = []
    for n in range(size):
        after = tuple(str(m) for m in range(n) if draw(st.booleans()))
        days = draw(st.integers(1, 9))
        start = _on(draw(st.integers(-15, 25))) if dated and draw(st.booleans()) else None
        due = start + timedelta(days=days - 1) if start else None
        state = (
            draw(st.sampled_from((State.PLANNED, State.PLANNED, State.BEGUN, State.DONE))) if start else State.PLANNED
        )
        done_on = due if state is State.DONE else None
        actions.append(Action(str(n), start, due, after, state, done_on, hours=float(days), hours_week=7.0))
    return actions


def _paths(actions: list[Action]) -> list[list[Action]]:
    """Every chain of the network, by brute force."""
    known = {action.id: action for action in actions}

    def ending(action: Action) -> list[list[Action]]:
        return [[action], *([*path, action] for name in action.after for path in ending(known[name]))]

    return [path for action in actions for path in ending(action)]


@given(_networks())
def test_the_critical_path_is_the_longest_chain(actions: list[Action]) -> None:
    schedule = plan_schedule(actions, _TODAY)
    lengths = {action.id: action.days or 0 for action in actions}
    longest = max(sum(lengths[action.id] for action in path) for path in _paths(actions))
    assert sum(lengths[name] for name in schedule.critical) == longest
    assert schedule.end == _on(longest - 1)
    assert list(schedule.critical) in [[action.id for action in path] for path in _paths(actions)]


@given(_networks(dated=True))
def test_the_end_is_the_latest_any_chain_can_reach(actions: list[Action]) -> None:
    schedule = plan_schedule(actions, _TODAY)

    def finish(path: list[Action]) -> date:
        first, *others = path
        slot = schedule.slots[first.id]
        last = slot.finish if first.state is not State.PLANNED else _own_finish(first)
        for action in others:
            length = timedelta(days=(action.days or 1) - 1)
            last = max(last + timedelta(days=1) + length, _own_finish(action))
        return last

    open_chains = [path for path in _paths(actions) if all(action.state is State.PLANNED for action in path[1:])]
    assert schedule.end == max(finish(path) for path in open_chains)


def _own_finish(action: Action) -> date:
    return max(action.start_on or _TODAY, _TODAY) + timedelta(days=(action.days or 1) - 1)


@given(_networks(dated=True))
def test_nothing_begins_before_what_it_waits_for_ends_and_slack_is_never_negative(actions: list[Action]) -> None:
    schedule = plan_schedule(actions, _TODAY)
    for action in actions:
        slot = schedule.slots[action.id]
        assert slot.slack >= 0
        assert slot.start <= slot.finish
        if action.state is State.PLANNED:
            assert slot.start >= _TODAY
            assert all(schedule.slots[name].finish < slot.start for name in action.after)
    for first, second in pairwise(schedule.critical):
        assert schedule.slots[second].start == schedule.slots[first].finish + timedelta(days=1)


@given(_networks(), st.data())
def test_what_has_slack_may_slip_by_it_and_the_end_stays(actions: list[Action], data: st.DataObject) -> None:
    schedule = plan_schedule(actions, _TODAY)
    name = data.draw(st.sampled_from([action.id for action in actions]))
    days = data.draw(st.integers(1, 12))
    moved = slip(actions, _TODAY, name, days)
    assert moved[0].id == name
    assert all(0 < one.days <= days for one in moved)
    assert schedule.end is not None
    new_end = max([one.finish for one in moved] + [schedule.end])
    assert (new_end - schedule.end).days == max(0, days - schedule.slots[name].slack)


def test_only_an_open_action_slips_by_a_day_or_more() -> None:
    done = Action("a", state=State.DONE, done_on=_TODAY)
    for name, days in (("a", 3), ("none", 3)):
        with pytest.raises(ValueError, match="open action"):
            slip([done], _TODAY, name, days)
    with pytest.raises(ValueError, match="one day"):
        slip([_lasting("b", 2)], _TODAY, "b", 0)


def test_circles_are_refused_and_named() -> None:
    actions = [_lasting("a", 1, "c"), _lasting("b", 1, "a"), _lasting("c", 1, "b"), _lasting("d", 1, "d")]
    with pytest.raises(ScheduleCircle, match="a → c → b → a") as refused:
        plan_schedule(actions, _TODAY)
    assert refused.value.circles == (("a", "c", "b"), ("d",))


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3, unique=True)))
def test_a_network_is_ordered_or_refused(links: dict[str, list[str]]) -> None:
    try:
        order = in_order(links)
    except ValueError:
        with pytest.raises(ScheduleCircle):
            plan_schedule([Action(name, after=tuple(after)) for name, after in links.items()], _TODAY)
        return
    assert sorted(order) == sorted(links)
    assert all(order.index(other) < order.index(name) for name in links for other in links[name] if other in links)


def test_unknown_lengths_are_taken_as_a_day_and_said() -> None:
    slots = plan_schedule([Action("a"), Action("b", start_on=_on(5), due_on=_on(2)), _lasting("c", 3)], _TODAY).slots
    assert [slots[name].assumed for name in "abc"] == [True, True, False]
    assert (slots["a"].start, slots["a"].finish) == (_TODAY, _TODAY)
    assert plan_schedule([], _TODAY).end is None


def test_what_was_dropped_or_is_unknown_is_not_waited_for() -> None:
    dropped = Action("a", _on(0), _on(90), state=State.DROPPED)
    schedule = plan_schedule([dropped, _lasting("b", 2, "a", "nowhere")], _TODAY)
    assert set(schedule.slots) == {"b"}
    assert schedule.slots["b"].start == _TODAY


def test_reasons_say_why_something_is_late_or_at_risk() -> None:
    actions = [
        Action("late", _on(-30), _on(-4), state=State.BEGUN),
        Action("waiting", _on(-1), _on(3), after=("late",)),
        Action("squeezed", _on(2), _on(4), after=("waiting",)),
        Action("lost", _on(40), _on(45), after=("dropped",)),
        Action("dropped", _on(1), _on(2), state=State.DROPPED),
        Action("open"),
        Action("fine", _on(60), _on(70)),
        Action("done", _on(-60), _on(-50), state=State.DONE, done_on=_on(-40)),
    ]
    assert find_risks(actions, _TODAY) == {
        "late": [Risk(Why.LATE, 4)],
        # It begins tomorrow, the day after the late one, and takes five days.
        "waiting": [Risk(Why.TOO_LITTLE_TIME, 2), Risk(Why.NOT_BEGUN, 1), Risk(Why.WAITS, 2, "late")],
        "squeezed": [Risk(Why.TOO_LITTLE_TIME, 4), Risk(Why.WAITS, 4, "waiting")],
        "lost": [Risk(Why.DROPPED_BEFORE, other="dropped")],
        "open": [Risk(Why.NO_DAY)],
    }


def test_a_month_with_more_hours_than_there_are_is_a_risk_for_what_falls_in_it() -> None:
    actions = [
        Action("a", date(2026, 4, 1), date(2026, 4, 30), hours=40),
        Action("b", date(2026, 4, 20), date(2026, 5, 20), hours=31),
        Action("c", date(2026, 6, 1), date(2026, 6, 30), hours=10),
    ]
    # Eleven of b's thirty-one hours fall in April: 51 hours, where 10 a week give 42.9.
    month = date(2026, 4, 1)
    assert find_risks(actions, _TODAY, 10) == {
        "a": [Risk(Why.OVERLOAD, month=month)],
        "b": [Risk(Why.OVERLOAD, month=month)],
    }
    assert find_risks(actions, _TODAY, 12) == {}
    assert find_risks(actions, _TODAY) == {}


_DATED = st.builds(
    lambda n, start, length, hours: Action(str(n), _on(start), _on(start + length), hours=hours),
    st.integers(0, 9),
    st.integers(-900, 900),
    st.integers(0, 700),
    st.floats(0, 500),
)


@given(st.lists(_DATED, max_size=6))
def test_the_months_hours_add_up_to_the_efforts(actions: list[Action]) -> None:
    load = load_by_month(actions)
    assert sum(load.hours.values()) == pytest.approx(sum(effort(action) or 0 for action in actions))
    months = list(load.hours)
    assert months == sorted(months)
    assert all((b.year - a.year) * 12 + b.month - a.month == 1 for a, b in pairwise(months))


def test_the_load_of_what_is_not_known_is_left_out_and_named() -> None:
    load = load_by_month(
        [
            Action("weekly", date(2026, 4, 1), date(2026, 4, 28), hours_week=5),
            Action("undated", hours=10, hours_week=2),
            Action("effortless", date(2026, 4, 1), date(2026, 4, 3)),
            Action("dropped", date(2026, 4, 1), date(2026, 4, 3), hours=9, state=State.DROPPED),
        ]
    )
    assert dict(load.hours) == {date(2026, 4, 1): pytest.approx(20)}
    assert load.uncounted == ("undated", "effortless")


def test_of_many_overfull_months_the_nearest_are_told() -> None:
    lifetime = [Action(f"a{n}", start_on=date(1900, 1, 1), due_on=date(2200, 12, 31), hours=10_000) for n in range(50)]
    risks = find_risks(lifetime, date(2026, 10, 15), 1)
    months = [risk.month for risk in risks["a0"] if risk.why is Why.OVERLOAD]
    assert (months[0], months[-1], len(months)) == (date(2025, 10, 1), date(2027, 9, 1), 24)
