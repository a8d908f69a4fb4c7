"""`python -m infra.lab`: the lab's commands without the rest of Slipway."""

from infra.lab.cli import app

app(prog_name="slipway lab")
