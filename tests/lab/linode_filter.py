"""X-Filter, as Linode documents it: which rows of a collection it leaves, and in which order."""
import json

from .linode_events import Refusal

COMPARISONS = {"+gt": lambda have, want: have > want, "+gte": lambda have, want: have >= want,
               "+lt": lambda have, want: have < want, "+lte": lambda have, want: have <= want,
               "+neq": lambda have, want: have != want, "+contains": lambda have, want: want.lower() in have.lower()}


def filtered(rows, text, filterable):
    if not text:
        return rows
    try:
        wanted = json.loads(text)
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        raise Refusal(400, "X-Filter is not a valid JSON object")
    order, backwards = wanted.pop("+order_by", None), wanted.pop("+order", "asc") == "desc"
    _check_filter(wanted, filterable)
    rows = [row for row in rows if _matches(row, wanted)]
    if order is not None:
        if order not in filterable:
            raise Refusal(400, f"Cannot order by {order}")
        rows.sort(key=lambda row: _value(row, order), reverse=backwards)
    return rows


def _check_filter(wanted, filterable):
    for name, value in wanted.items():
        if name in ("+and", "+or"):
            if not isinstance(value, list):
                raise Refusal(400, f"{name} needs a list")
            for one in value:
                _check_filter(one, filterable)
        elif name not in filterable:
            raise Refusal(400, f"Cannot filter on {name}")
        elif isinstance(value, dict) and not (value and set(value) <= set(COMPARISONS)):
            raise Refusal(400, f"unknown operator for {name}")


def _value(row, name):
    for part in name.split("."):
        row = (row or {}).get(part)
    return row


def _matches(row, wanted):
    for name, value in wanted.items():
        if name == "+and" and not all(_matches(row, one) for one in value):
            return False
        if name == "+or" and not any(_matches(row, one) for one in value):
            return False
        if name[0] == "+":
            continue
        have = _value(row, name)
        haves = have if isinstance(have, list) else [have]
        comparisons = value.items() if isinstance(value, dict) else [("=", value)]
        for operator, want in comparisons:
            try:
                if operator == "+neq":
                    fits = want not in haves
                else:
                    fits = any(one == want if operator == "=" else COMPARISONS[operator](one, want) for one in haves if one is not None)
            except (TypeError, AttributeError):
                fits = False
            if not fits:
                return False
    return True
