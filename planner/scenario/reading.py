"""The annotation of a value that a function reads, with what editors are told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Read:
    """Annotation: the value is what `read` makes of it; `accepts` is the JSON Schema of what may be written.

    Pydantic's `PlainValidator` and `WithJsonSchema` say the same, but look into function and type anew for each of the
    230 fields that are read so, which takes 10 ms.
    """

    def __init__(self, read: Callable[[object], object], accepts: Mapping[str, object]) -> None:
        """A function that returns the value or raises a refusal, and a JSON Schema."""
        self.read = read
        self.accepts = accepts

    def __get_pydantic_core_schema__(
        self, source: type[object], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Call the function."""
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        """What may be written."""
        return dict(self.accepts)
