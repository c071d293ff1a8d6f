"""Kinds of text that the fields of a status have, each with its longest length."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Time = Annotated[str, Field(max_length=32)]
Number = Annotated[str, Field(max_length=32)]
ReasonText = Annotated[str, Field(max_length=64)]
MessageText = Annotated[str, Field(max_length=256)]
