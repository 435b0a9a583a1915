"""The gate: asked right before every request, after the intent was committed. What it refuses is not sent."""

from bot.core.event import Refused
from bot.core.halt import is_permitted
from bot.core.intent import Intent
from bot.engine import tripwires
from bot.engine.conduct import fault_of
from bot.engine.desk import Desk
from bot.engine.proof import Proof


class Gate:
    """Stands between the loop and whatever exchange there is: paper, testnet and live alike."""

    def __init__(self, desk: Desk, proof: Proof | None = None) -> None:
        self._desk, self._proof = desk, proof

    def refusal(self, intent: Intent) -> Refused | None:
        """Return why the intent may not be sent; None: send it."""
        desk, state = self._desk, self._desk.state
        tripwires.rates(desk)
        tripwires.collar(desk, intent)
        if fault := fault_of(intent.action):
            message = f"not sent: {fault}"
            return Refused(state.now_ms, intent.action.symbol, intent.client_id, "not_finite", message)
        old = self._proof.fault_of(intent.action) if self._proof is not None else ""
        if old:
            message = f"not sent: {old}"
            return Refused(state.now_ms, intent.action.symbol, intent.client_id, "halted", message)
        level = state.halt_level()
        if is_permitted(level, intent.action):
            return None
        causes = ", ".join(state.halts)
        message = f"not sent: {level} stands ({causes})"
        return Refused(state.now_ms, intent.action.symbol, intent.client_id, "halted", message)
