#!/usr/bin/python3
"""Holds common/job/asyncapi.yaml against what the encoders write, as TAP.

usage: check_asyncapi.py PRINT_SAMPLES ASYNCAPI_YAML

Fails on a field, word or limit that stands on one side only, so the document cannot go stale.
"""

import json
import re
import subprocess
import sys

import yaml

TYPES = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "null": lambda v: v is None,
}
BOUNDS = {
    "minimum": lambda v, limit: v >= limit,
    "maximum": lambda v, limit: v <= limit,
    "exclusiveMinimum": lambda v, limit: v > limit,
    "exclusiveMaximum": lambda v, limit: v < limit,
    "minLength": lambda v, limit: len(v) >= limit,
    "maxLength": lambda v, limit: len(v) <= limit,
    "minItems": lambda v, limit: len(v) >= limit,
    "maxItems": lambda v, limit: len(v) <= limit,
}
ANNOTATIONS = {"description", "default", "format"}


class Mismatch(Exception):
    pass


class Checker:
    """Validates values; `seen` collects the documented fields that some value had."""

    def __init__(self, document):
        self.document = document
        self.seen = set()

    def resolve(self, ref):
        node = self.document
        for part in ref.removeprefix("#/").split("/"):
            node = node[part]
        return node, ref.rsplit("/", 1)[1]

    def check(self, value, schema, name):
        for keyword, wanted in schema.items():
            if keyword in ANNOTATIONS:
                continue
            if keyword == "$ref":
                self.check(value, *self.resolve(wanted))
            elif keyword == "allOf":
                for part in wanted:
                    self.check(value, part, name)
            elif keyword == "oneOf":
                self.check_one_of(value, wanted, name)
            elif keyword == "type":
                names = wanted if isinstance(wanted, list) else [wanted]
                self.demand(any(TYPES[n](value) for n in names), name, f"{value!r} is no {wanted}")
            elif keyword == "enum":
                self.demand(value in wanted, name, f"{value!r} is not documented")
            elif keyword == "pattern":
                self.demand(re.search(wanted, value), name, f"{value!r} does not match {wanted}")
            elif keyword in BOUNDS:
                self.demand(value is None or BOUNDS[keyword](value, wanted), name, f"{value!r} breaks {keyword}")
            elif keyword == "required":
                missing = set(wanted) - set(value)
                self.demand(not missing, name, f"{missing} not written")
            elif keyword == "properties":
                self.check_fields(value, wanted, name)
            elif keyword == "items":
                for item in value or []:
                    self.check(item, wanted, name + "[]")
            else:
                raise Mismatch(f"{name}: keyword {keyword} is not known to this test")

    def check_fields(self, value, properties, name):
        for field, content in value.items():
            self.demand(field in properties, name, f"field {field} is not documented")
            if content is not None:
                self.seen.add(f"{name}.{field}")
            self.check(content, properties[field], f"{name}.{field}")

    def check_one_of(self, value, schemas, name):
        problems = []
        for schema in schemas:
            try:
                self.check(value, schema, name)
            except Mismatch as problem:
                problems.append(str(problem))
        self.demand(len(problems) == len(schemas) - 1, name, "; ".join(problems))

    @staticmethod
    def demand(condition, name, text):
        if not condition:
            raise Mismatch(f"{name}: {text}")


def documented_fields(schema, name):
    """The names of every field below a schema, as Checker.seen has them. References name themselves."""
    for field, content in schema.get("properties", {}).items():
        yield f"{name}.{field}"
        yield from documented_fields(content, f"{name}.{field}")


def all_documented(schemas):
    return {field for name, schema in schemas.items() if not name.endswith("Headers")
            for field in documented_fields(schema, name)}


def may_retry(schemas):
    """The codes that the description of ErrorCode names before its first full stop."""
    first = schemas["ErrorCode"]["description"].split(". All others", 1)[0]
    return {word for word in re.findall(r"[a-z_]+", first) if word in schemas["ErrorCode"]["enum"]}


def limit_of(schemas, path):
    node = schemas[path.split(".")[0]]
    for field in path.split(".")[1:]:
        node = node["properties"][field]
    return node.get("maxLength", node.get("maximum"))


def addresses(document):
    """Every exchange and queue that is documented by its whole name."""
    for channel in document["channels"].values():
        binding = channel["bindings"]["amqp"] if "amqp" in channel["bindings"] else {}
        yield binding.get("exchange", {}).get("name", channel["address"])


def checks(lines, document):
    """Yields (title, function) for every case."""
    schemas = document["components"]["schemas"]
    checker = Checker(document)

    def check_body(name, text):
        checker.check(json.loads(text), schemas[name], name)

    def check_equal(found, documented):
        Checker.demand(found == documented, "asyncapi.yaml", f"{documented} is documented, {found} is written")

    for line in lines:
        kind, rest = line.split(" ", 1)
        if kind == "body":
            name, text = rest.split(" ", 1)
            yield f"{name} body", lambda name=name, text=text: check_body(name, text)
        elif kind == "words":
            name, *words = rest.split()
            yield f"{name} words", lambda name=name, words=words: check_equal(words, schemas[name]["enum"])
        elif kind == "may-retry":
            yield "codes that may be retried", lambda rest=rest: check_equal(set(rest.split()), may_retry(schemas))
        elif kind == "limits":
            for path, value in (pair.split("=") for pair in rest.split()):
                yield f"limit of {path}", lambda path=path, value=value: check_equal(int(value), limit_of(schemas, path))
        elif kind == "types":
            for name, value in (pair.split("=") for pair in rest.split()):
                bindings = document["components"]["messages"][name]["bindings"]["amqp"]
                yield f"type of {name}", lambda b=bindings, value=value: check_equal(value, b["messageType"])
        elif kind == "addresses":
            missing = set(rest.split()) - set(addresses(document))
            yield "exchanges and queues", lambda missing=missing: check_equal(missing, set())
    states = schemas["State"]["enum"]
    parts = [schemas[name]["properties"]["state"]["enum"] for name in ("Reply", "Event")]
    yield "states of replies and events", lambda: check_equal(sorted(sum(parts, [])), sorted(states))
    yield "every documented field is written", lambda: check_equal(set(), all_documented(schemas) - checker.seen)


def main():
    lines = subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout.splitlines()
    with open(sys.argv[2], encoding="utf-8") as file:
        document = yaml.safe_load(file)
    number = 0
    for number, (title, function) in enumerate(checks(lines, document), 1):
        try:
            function()
            print(f"ok {number} - {title}")
        except Mismatch as problem:
            print(f"not ok {number} - {title}\n# {problem}")
    print(f"1..{number}")


if __name__ == "__main__":
    main()
