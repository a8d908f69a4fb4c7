"""`python -m infra.lab`: the lab's commands without the rest of Slipway."""

from infra.cli.main import end_with
from infra.lab.cli import app

end_with(lambda: app(prog_name="slipway lab", standalone_mode=False))
