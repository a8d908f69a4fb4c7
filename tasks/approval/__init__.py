"""Approvals: who may let a release in, and whether an answer does."""

from tasks.approval.approvers import SecretApprovers
from tasks.approval.effects import dismiss, enrol
from tasks.approval.model import Answer, Approver, Choice, Decision, Request, Ruling

__all__ = [
    "Answer",
    "Approver",
    "Choice",
    "Decision",
    "Request",
    "Ruling",
    "SecretApprovers",
    "dismiss",
    "enrol",
]
