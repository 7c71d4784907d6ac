"""`Typed` and `Verbs`: gymnasium spaces of pydantic models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Generic, TypeVar

import gymnasium
import numpy as np
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from ethogram.errors import ConfigError
from ethogram.spaces.containers import Record, total
from ethogram.spaces.fields import record
from ethogram.spaces.hints import described, hint, invalid, wrong
from ethogram.spaces.kinds import clip, show, writable
from ethogram.spaces.replies import SIZE, Found, objects_in, whole_object

__all__ = ["Typed", "Verbs", "verb_name"]

M = TypeVar("M", bound=BaseModel)

TAG = "verb"


def verb_name(model: type[BaseModel]) -> str:
    """The name of a verb in JSON: its class name in snake case (`GiveMoney` is `give_money`)."""
    if not isinstance(model, type):
        raise ConfigError(f"{model!r} is not a pydantic model: give a class derived from pydantic.BaseModel")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", model.__name__).lower()


class Models(gymnasium.Space[M], Generic[M]):
    """What `Typed` and `Verbs` share: a space over the instances of some pydantic models.

    **Fields** may be bool, int, float, Decimal, str, Literal, Enum, None, lists and tuples of these, dicts with str keys,
    pydantic models that do not contain themselves, and unions; with pydantic's bounds. A str's `pattern` must be of the
    form ^...$ and come with `examples`, of which its samples are. Aliases are not used: a field is called by its name. Any
    other field is a ConfigError when the space is made.

    **Bounds where none are given.** A str without `max_length` has at most `TEXT` (500) characters, a list, tuple or dict at
    most `ITEMS` (50) items (or as many as its `min_length`, if that is more). An int is at least -(2^53 - 1) and at most
    2^53 - 1. Floats are finite; a Decimal is written without exponent, in at most 20 digits before and 12 after the point.
    The schema says so, and `contains`, `load` and `parse` agree with it. (It says less than they do of the bounds of a
    Decimal, which it has as text, of the steps of a float with more than 200 of them, and of a model's own validators.)

    **Membership.** `x` is an element if it is an instance of exactly one of the models (not of a subclass), every field
    holds a Python value of the annotated type within these bounds, and the model's validator accepts the fields as they
    are, in strict mode: so an instance made by `model_construct`, or changed since, is looked at anew. Validators of the
    model's own are respected everywhere (samples that they reject are drawn again) and must accept what they return.

    **Random samples** come from `np_random` of this space alone: the same seed gives the same samples in any process.
    """

    _records: dict[type[BaseModel], Record]
    _tagged: bool

    _origin: Models[Any] | None
    """The space of which this one is a part, and whose random numbers it then shares."""

    def _setup(self, records: dict[type[BaseModel], Record], tagged: bool, origin: Models[Any] | None = None) -> None:
        self._records, self._tagged, self._origin = records, tagged, origin
        self._all = list(records.values())
        self._by_name = {one.tag[TAG]: one for one in self._all} if tagged else {}
        self._schema: dict[str, Any] | None = None

    # gymnasium's interface

    @property
    def is_np_flattenable(self) -> bool:
        """False: elements are objects."""
        return False

    @property
    def np_random(self) -> np.random.Generator:
        """The generator of this space; a narrowed space shares that of the space it comes from, unless seeded itself."""
        if self._np_random is None and self._origin is not None:
            return self._origin.np_random
        return super().np_random

    def contains(self, x: Any) -> bool:
        """Whether `x` is an element: see the class."""
        found = self._records.get(type(x))
        return found is not None and found.fault(x) is None

    def to_jsonable(self, sample_n: Iterable[M]) -> list[dict[str, Any]]:
        """The JSON values of elements: `dump` of each."""
        return [self.dump(x) for x in sample_n]

    def from_jsonable(self, sample_n: list[Any]) -> list[M]:
        """The elements of JSON values: `load` of each. Raises VerbError."""
        return [self.load(x) for x in sample_n]

    def __eq__(self, other: object) -> bool:
        """Whether `other` is a space of the same kind over the same models, narrowed to the same values."""
        return type(other) is type(self) and self._all == other._all  # pyright: ignore[reportAttributeAccessIssue]

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        parts = []
        for one in self._all:
            limits = ", ".join(f"{name}=[{clip(show(values), 80)}]" for name, values in one.narrowed.items())
            parts.append(one.model.__name__ + (f".where({limits})" if limits else ""))
        return f"{type(self).__name__}({', '.join(parts)})"

    # JSON

    def dump(self, x: M) -> dict[str, Any]:
        """The JSON-able dict of an element: all its fields, after the tag `verb` in a space of verbs.

        Raises:
            VerbError: `x` is no instance of the space's models, or a field holds what its type cannot be written as.
        """
        found = self._records.get(type(x))
        if found is None:
            raise hint(f"a {type(x).__name__} is no element of {self!r}")
        try:
            fields = type(x).__pydantic_serializer__.to_python(
                x, mode="json", by_alias=False, warnings=False, exclude_computed_fields=True
            )
        except PydanticSerializationError as error:
            raise hint(f"{type(x).__name__} cannot be written as JSON: {str(error).splitlines()[-1].strip()}") from error
        return {**found.tag, **fields} if self._tagged else fields

    def load(self, data: Mapping[str, Any]) -> M:
        """The element that `dump` wrote, or that a model wrote in that form.

        JSON types that pydantic converts without loss are accepted ("3" or 3.0 for an int, 1 for a float, "true" for a
        bool), as are capitals in the verb's name ("Say"), the class name, and in a space of one verb a missing tag. Fields
        with a default may be missing. Unknown fields are not accepted.

        Raises:
            VerbError: `data` is no element; the message says why in one line of at most 300 characters.
        """
        if not isinstance(data, Mapping):
            raise hint(f"a JSON object is expected, not {described(data)}")
        fields = dict(data)
        found = self._pick(fields)
        try:
            value = found.model.__pydantic_validator__.validate_python(
                fields, strict=False, extra="forbid", by_name=True, by_alias=False
            )
        except ValidationError as error:
            raise hint(self._said(found, invalid(found, fields, error))) from None
        if (fault := found.fault(value)) is not None:
            raise hint(self._said(found, wrong(fault, fields)))
        return value

    def parse(self, text: str) -> M:
        """The element in a language model's reply.

        The reply may hold prose, Markdown fences, a leading <think>...</think>, a list around the object, a byte order mark
        and comments after it, but exactly one JSON object which has the key "verb" (repeated, it counts once). Where there
        is only one model, the key may be missing: then the object is the one that has a field of the model. Objects within
        objects do not count, malformed ones are passed over if another is good. What `load` accepts is accepted, and line
        ends within strings. Text within strings is never altered.

        Raises:
            VerbError: there is no such object, or it is no element. The message is one line of at most 300 characters,
                with at most a short excerpt of the reply, and is fit to be shown to the model.
        """
        if not isinstance(text, str):
            raise hint(f"the reply is not text but {type(text).__name__}")
        if len(text) > SIZE:
            raise hint(f"the reply has {len(text)} characters, more than {SIZE}; give one short JSON object")
        try:
            data = whole_object(text)
            if data is None:
                data = self._candidate(objects_in(text))
            if ("\\u" in text or not (text.isascii() or writable(text))) and not writable(
                json.dumps(data, ensure_ascii=False)
            ):
                raise hint("the text holds half a surrogate pair (\\ud800 to \\udfff): write the character itself")
            return self.load(data)
        except RecursionError:
            raise hint("the JSON is nested too deeply; give one flat JSON object") from None

    def schema(self) -> dict[str, Any]:
        """One JSON schema (draft 2020-12) of all elements, without references; computed once, so do not change it."""
        if self._schema is None:
            parts = [one.schema for one in self._all]
            self._schema = parts[0] if len(parts) == 1 else {"anyOf": parts}
        return self._schema

    # For readers

    def describe(self) -> str:
        """What a model is shown: each form of reply with its docstring, and each field with its values and description."""
        return "\n".join(one.describe() for one in self._all)

    def options(self, limit: int = 1000) -> list[M]:
        """All elements in a fixed order: models in order, then the values of their fields, the last field fastest.

        Raises:
            ConfigError: there are infinitely many, or more than `limit`.
        """
        for one in self._all:
            for name, kind in one.fields.items():
                if kind.count() is None:
                    raise ConfigError(
                        f"{self!r} cannot be enumerated: {one.model.__name__}.{name} is {kind.words}; "
                        "narrow it with where(), or leave the verb out with only()"
                    )
        number = total(r.count() for r in self._all) or 0
        if number > limit:
            shown = str(number) if number < 10**15 else "more than 10^15"
            raise ConfigError(
                f"{self!r} has {shown} elements, more than limit={limit}; narrow it with where() or only(), or raise limit"
            )
        return list(chain.from_iterable(r.values() for r in self._all))

    # Parts of load and parse

    def _pick(self, fields: dict[str, Any]) -> Record:
        """The record that the tag names; takes the tag out of `fields`."""
        if not self._tagged:
            return self._all[0]
        if TAG not in fields:
            if len(self._all) == 1:
                return self._all[0]
            raise hint(f'the JSON object has no "{TAG}"; known verbs: {self._known()}')
        name = fields.pop(TAG)
        if isinstance(name, str):
            found = self._by_name.get(name) or self._loosely(name)
            if found is not None:
                return found
        raise hint(f"the verb {described(name)} is unknown; known verbs: {self._known()}")

    def _loosely(self, name: str) -> Record | None:
        """The record whose name or class name differs from `name` by capitals only."""
        if len(name) > 200:
            return None
        wanted = name.strip().lower()
        return next((one for one in self._all if wanted in (one.tag[TAG], one.model.__name__.lower())), None)

    def _known(self) -> str:
        return ", ".join(self._by_name)

    def _said(self, one: Record, message: str) -> str:
        return f"{one.tag[TAG]}: {message}" if self._tagged else message

    def _candidate(self, found: Found) -> dict[str, Any]:
        """The one object of a reply that is meant. Raises VerbError."""
        meant = [o for o in found.objects if TAG in o] if self._tagged else []
        if not meant and len(self._all) == 1 and not found.truncated:
            fields = self._all[0].fields
            meant = [o for o in found.objects if o.keys() & fields.keys()] or found.objects
        if meant:
            first = meant[0]
            other = next((o for o in meant if o != first), None)
            if other is None:
                return first
            verbs = f"two verbs, {described(first.get(TAG))} and {described(other.get(TAG))}"
            raise hint(f"the reply holds {verbs if self._tagged else 'two JSON objects'}; give exactly one JSON object")
        if found.truncated:
            raise hint("the reply is truncated: it ends within the JSON object; answer more briefly")
        if found.problems:
            raise hint(found.problems[0])
        known = f' whose "{TAG}" is one of: {self._known()}' if self._tagged else f", {self._all[0].words[3:]}"
        if found.objects:
            raise hint(f'the JSON object has no "{TAG}"; give one JSON object{known}')
        raise hint(f"the reply holds no JSON object (keys and text in double quotes); give exactly one{known}")


class Typed(Models[M], Generic[M]):
    """The space of the instances of one pydantic model. What fields it may have, and what belongs: see `Models`.

    Args:
        model: The model.
        seed: Seed of the random samples.

    Raises:
        ConfigError: a field has a type that is not supported; the message names it.
    """

    def __init__(self, model: type[M], *, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(None, None, seed)
        self._setup({model: record(model, {})}, tagged=False)
        self.model = model

    def sample(self, mask: None = None, probability: None = None) -> M:
        """A random element. There is nothing to mask."""
        if mask is not None or probability is not None:
            raise ConfigError(f"{self!r} has one model: sample() takes neither mask nor probability")
        return self._all[0].sample(self.np_random)  # pyright: ignore[reportReturnType]


class Verbs(Models[BaseModel]):
    """The space of the instances of several pydantic models, the verbs: what one can do.

    In JSON a verb is an object whose key `verb` is its class name in snake case: `{"verb": "say", "to": ..., "text": ...}`.
    What fields it may have, and what belongs: see `Models`.

    Args:
        verbs: The models; their docstrings and field descriptions are shown to language models.
        seed: Seed of the random samples.

    Raises:
        ConfigError: no verb, the same name twice, a field called `verb`, or a type that is not supported.
    """

    def __init__(self, *verbs: type[BaseModel], seed: int | np.random.Generator | None = None) -> None:
        super().__init__(None, None, seed)
        if not verbs:
            raise ConfigError("Verbs() is empty: give at least one verb")
        self._setup({verb: record(verb, {TAG: verb_name(verb)}) for verb in verbs}, tagged=True)
        if len(self._by_name) < len(verbs):
            raise ConfigError(f"two verbs have the same name: {', '.join(map(verb_name, verbs))}")

    @property
    def verbs(self) -> tuple[type[BaseModel], ...]:
        """The models, in order."""
        return tuple(self._records)

    def sample(self, mask: Any = None, probability: Any = None) -> BaseModel:
        """A random verb: uniform over the models, then over the values of each field.

        Args:
            mask: One number a verb, in order: only verbs with 1 are drawn.
            probability: One number a verb, in order: its probability; they sum to 1.
        """
        rng = self.np_random
        if mask is None and probability is None:
            return self._all[int(rng.integers(len(self._all)))].sample(rng)
        if mask is not None and probability is not None:
            raise ConfigError("sample() takes a mask or probabilities, not both")
        weights = np.asarray(mask if probability is None else probability, dtype=float)
        if weights.shape != (len(self._all),) or not (weights >= 0).all() or not weights.sum() > 0:
            raise ConfigError(f"sample() needs {len(self._all)} numbers, one a verb, not all zero: got {weights.tolist()}")
        if probability is None:
            weights = (weights > 0) / (weights > 0).sum()
        elif abs(weights.sum() - 1) > 1e-6:
            raise ConfigError(f"the probabilities of sample() sum to {weights.sum()}, not to 1")
        return self._all[int(rng.choice(len(self._all), p=weights / weights.sum()))].sample(rng)

    def only(self, *verbs: type[BaseModel]) -> Verbs:
        """The part of the space with these verbs, in the order given. Raises ConfigError where one is not in it."""
        if not verbs:
            raise ConfigError("only() needs at least one verb")
        return self._part({verb: self._record_of(verb) for verb in verbs})

    def where(self, verb: type[BaseModel], /, **fields: Iterable[Any]) -> Verbs:
        """The part of the space in which fields of `verb` have one of the given values (Python values, as attributes hold).

        Of a list (or tuple of any length) it is the items that are narrowed. Narrowing twice leaves what both allow.

        Raises:
            ConfigError: the verb or a field is not in the space, or the values are none, or not of the field's type.
        """
        found = self._record_of(verb)
        for name, values in fields.items():
            if name not in found.fields:
                raise ConfigError(f"{verb.__name__} has no field {name!r}; its fields: {', '.join(found.fields) or 'none'}")
            # The order of a set differs between processes, and with it the samples would.
            allowed = tuple(sorted(values, key=repr) if isinstance(values, set | frozenset) else values)
            if not allowed or isinstance(values, str):
                raise ConfigError(
                    f"where({verb.__name__}, {name}={values!r}) needs a list of values; to forbid the verb use only()"
                )
            try:
                found = found.where(name, allowed)
            except ConfigError as error:
                raise ConfigError(f"where({verb.__name__}, {name}=...): {error}") from None
        return self._part({**self._records, verb: found})

    def _record_of(self, verb: type[BaseModel]) -> Record:
        try:
            return self._records[verb]
        except KeyError:
            raise ConfigError(f"{getattr(verb, '__name__', verb)!r} is not a verb of {self!r}") from None

    def _part(self, records: dict[type[BaseModel], Record]) -> Verbs:
        """A space with these records, which draws from this one's random numbers unless it is seeded itself."""
        part = Verbs.__new__(Verbs)
        gymnasium.Space.__init__(part, None, None, None)
        part._setup(records, True, self if self._np_random is not None or self._origin is None else self._origin)
        return part
