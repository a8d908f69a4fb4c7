"""Approvals: who may let a release in, and whether an answer does."""

from tasks.approval.approvers import SecretApprovers
from tasks.approval.effects import dismiss, enrol
from tasks.approval.model import Answer, Approved, Approver, Choice, Decision, Request, Ruling

__all__ = [
    "Answer",
    "Approved",
    "Approver",
    "Choice",
    "Decision",
    "Request",
    "Ruling",
    "SecretApprovers",
    "dismiss",
    "enrol",
]
