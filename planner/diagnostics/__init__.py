"""Diagnostics: a coded message with its place in the user's file, its registry of codes, and its renderers."""

from planner.diagnostics.codes import CODES, Code
from planner.diagnostics.records import Diagnostic, DiagnosticError, Label, Severity, Span

__all__ = ["CODES", "Code", "Diagnostic", "DiagnosticError", "Label", "Severity", "Span"]
