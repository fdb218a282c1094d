"""What all catalog records share: they are immutable, and they carry the provenance of their facts."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Confidence = Literal["high", "medium", "low"]


class Record(BaseModel):
    """Base of all catalog records: immutable, and a key nobody knows is an error."""

    # No names are protected: to compare each field with pydantic's own takes a millisecond of every start.
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, protected_namespaces=()
    )


class Sourced(Record):
    """A record with an id and the provenance of its facts."""

    id: str
    aliases: tuple[str, ...] = ()
    """Other names people type for this record."""
    sources: tuple[str, ...]
    confidence: Confidence = "high"
    unverified_fields: tuple[str, ...] = ()
    """Fields whose value no public source confirms; a plan that leans on one says so."""
    notes: str = ""
