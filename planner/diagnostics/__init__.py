"""Diagnostics: a coded message with its place in the user's file, its registry of codes, and its renderers."""

from planner.diagnostics.code import Code
from planner.diagnostics.codes import CODES
from planner.diagnostics.records import Diagnostic, DiagnosticError, Fix, Label, Severity, Span
from planner.diagnostics.text import render_text, summary

__all__ = [
    "CODES",
    "Code",
    "Diagnostic",
    "DiagnosticError",
    "Fix",
    "Label",
    "Severity",
    "Span",
    "render_text",
    "summary",
]
