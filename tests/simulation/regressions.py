"""Cases that once broke an invariant, each with what was wrong; they are run for ever."""

from typing import Final

from tests.simulation.scenario import Case

REGRESSIONS: Final = (
    # The rest of a market order that expired was never told.
    Case(1, "bybit", ("F08",)),
    # Two rungs of a ladder filled at one instant, and the last of them was told to be filled in part.
    Case(1138, "bybit", ("F23", "F26")),
    # A start told the missed one by one, and a full disk parted them: the rest was lost.
    Case(2148, "binance", ("F15", "F48", "F61")),
    # An order that ended between its acceptance and the reading of its reply stayed open for ever.
    Case(2155, "bybit", ("F29",)),
    # Margin that was moved and that positions showed late was never recorded.
    Case(3121, "bybit", ("F04", "F22")),
    # A reading with a fill in it did not show the margin yet, and the margin was told twice.
    Case(12, "bybit", ("F01", "F04", "F22")),
    # The venue did not show yet what it had accepted, which was taken for ended.
    Case(13, "bybit", ("F01", "F04", "F22")),
    # That the id is taken proves that the order arrived; no reading showed it yet, and it was given up.
    Case(63, "bybit", ("F01", "F04", "F22")),
    # An entry whose fill was not told within two seconds was looked for half a minute later.
    Case(91015, "bybit", ("F01", "F04", "F22")),
    # Margin that the venue had acknowledged was told as refused.
    Case(91037, "bybit", ("F01", "F04", "F22")),
    # After a restart margin was added on top of a move that the position did not show yet.
    Case(92034, "bybit", ("F01", "F04", "F22")),
    # An entry was sent late, into a position that somebody had opened meanwhile, again by each start.
    Case(4001, "okx", ("F10", "F45")),
    Case(4154, "okx", ("F21", "F45", "F53")),
    # The free balance told with a fill was read before the fill, and nothing corrected it.
    Case(19, "bybit", ("F26",)),
    # Margin moved, its reply lost, and somebody's fill in the same reading: the move was never recorded.
    Case(517, "bybit", ("F15", "F34", "F48")),
    # A payment whose position lagged was booked twice: from the free balance, and as a move by hand.
    Case(15, "binance", ("F04",)),
    Case(29, "bybit", ("F04",)),
    # A margin move whose reply was lost was taken for a payment that the position was too young to owe.
    Case(8, "bybit", ("F34",)),
    # Margin that somebody else had added counted as an add beyond the agreed loss.
    Case(3, "binance", ("F46",)),
    # A fill and the position were both late, and so was the stop: 23 s.
    Case(25, "okx", ("F04",)),
    # A cancel was answered with "unknown order", and two stops rested until the next start.
    Case(4, "bybit", ("F11",)),
    Case(11, "okx", ("F11",)),
    # Two positions at Bybit were read with one request for the cross-check, which ended the bot.
    Case(205, "bybit", ("F30", "F41", "F55")),
    # The third start within a minute waited for request weight before it had recovered.
    Case(21, "binance", ("F09",)),
    Case(21, "binance", ("F22",)),
    # A list that lagged showed a cancelled order once more, and its end was told again.
    Case(11, "okx", ("F04",)),
    # A reading without the position that had just filled kept the gateway from placing its stop for 4 s.
    Case(197, "okx", ("F13", "F39", "F56")),
    # Stale answers told of the weight of the minute before, and nothing was asked for a whole minute.
    Case(33, "binance", ("F04", "F63")),
    # A start that came seconds after a settlement took the payment for a move by hand.
    Case(10, "bybit", ("F04", "F66")),
    # A payment told with a fill was booked again as a move by hand: the position lagged over the settlement.
    Case(9, "binance", ("F04",)),
    # The same with a margin move in doubt in place of the fill.
    Case(860001, "binance", ("F04",)),
    # Margin was added to a position as it was before a settlement, beyond the target by the payment.
    Case(107, "okx", ("F04",)),
    # Lists that name no coin, read by each symbol, left no weight for what vanished.
    *(Case(seed, "hyperliquid", ("F29",)) for seed in (1, 3, 7, 8)),
    *(Case(seed, "hyperliquid", ("F27",)) for seed in (1, 2)),
    Case(2, "hyperliquid", ("F04",)),
    # A payment was lost over two restarts.
    Case(880037, "okx", ("F08", "F27", "F66")),
    # A stop that vanished was placed again five times a second, until no request was left to place it.
    Case(3, "binance", ("F74",)),
    # Fills that no history told yet were looked for until the weight of a minute was spent.
    *(Case(seed, "hyperliquid", ("F04",)) for seed in (5, 9, 15, 19)),
    # Fills that no position showed yet, the same.
    *(Case(seed, "hyperliquid", ("F04",)) for seed in (3, 13)),
    # A stop vanished after polls had spent the weight.
    Case(5, "hyperliquid", ("F27",)),
    # News waited with a poll, and with payments read as one, for weight.
    Case(39, "hyperliquid", ("F29",)),
    # Proof that a stop rests waited with everything else for weight, and one that vanished was missed late.
    Case(505, "hyperliquid", ("F08", "F27", "F66")),
    # Decisions were dated by a clock that was wrong, or that was set between two readings of the account.
    *(Case(seed, "hyperliquid", ("F51",)) for seed in (1, 7, 14)),
    # While an entry still filled, a stop that replaced one over the whole position was for what was held
    # then, and nothing made it larger.
    Case(880000, "okx", ("F08", "F27", "F66")),
    # A stop that a start had read rested before its acceptance was told, which cancelled it as its own elder.
    Case(880046, "okx", ("F08", "F27", "F66")),
    # A stop was placed again at its price although the venue had changed the tick since.
    Case(432, "binance", ("F13", "F17", "F62")),
    # A second process that had taken the database over when the first died was never ended.
    Case(127, "bybit", ("F12", "F32", "F65")),
    # Of two stops with lost replies the one that the venue had dropped was told as accepted, and the other
    # was cancelled as its elder.
    Case(22, "hyperliquid", ("F08", "F27", "F66")),
    # A poll that had found a fill went on as a poll, of which each request waits for its own turn: 3 s.
    Case(70061, "okx", ("F49", "F70")),
    # A start read a list that did not show the stop yet, placed a second one, and knew nothing of the first.
    Case(500122, "hyperliquid", ("F04", "F12", "F34")),
    # A list that lagged showed a cancelled stop still: it was cancelled and the account read again and again.
    Case(500025, "hyperliquid", ("F04", "F27")),
    # Stops for what a take-profit had left, whose fill nobody had told, followed one another without end.
    Case(3, "hyperliquid", ("F22",)),
    *(Case(seed, "hyperliquid", faults) for seed, faults in ((500023, ("F22",)), (500197, ("F22", "F51")))),
    Case(640053, "hyperliquid", ("F22", "F27")),
    # Each stop that followed the mark had the lists read: no weight was left for one that vanished or filled.
    Case(500179, "hyperliquid", ("F22", "F29")),
    Case(640071, "hyperliquid", ("F27", "F29")),
    # An entry that a thin book filled in part was told as ended unfilled before its fills were.
    Case(500140, "bybit", ("F04", "F08", "F66")),
    # A stop vanished soon after it was accepted, and the venue was taken to show it late: 30 s.
    Case(640124, "okx", ("F08", "F22", "F27")),
    # After a restart readings that lagged set the time of marks back behind that of the process before.
    # There the rest of a market order whose fills were told late was never told to have expired, too.
    Case(500054, "hyperliquid", ("F04", "F08", "F66")),
    Case(500090, "hyperliquid", ("F04", "F34", "F66")),
    Case(500162, "hyperliquid", ("F04", "F12", "F51")),
    Case(500192, "hyperliquid", ("F04", "F12")),
    # A refusal that was cut off in the middle was taken for a yes: the margin counted as moved.
    Case(500115, "hyperliquid", ("F04", "F32", "F34")),
    # Margin whose reply was lost, seen in a position that ended before its next reading, was never told.
    *(Case(seed, "hyperliquid", ("F32", "F34", "F51")) for seed in (640017, 640056)),
    # The same where only the history told of it: the closing was told first.
    Case(640099, "okx", ("F12", "F32", "F34")),
    # The rest of a market order whose fills were listed late had expired, which nothing told.
    Case(500049, "hyperliquid", ("F04", "F08", "F32")),
    Case(500109, "hyperliquid", ("F04", "F08", "F27")),
    # A move without history and the least amounts that told its fate are one request: the world wanted them
    # as one row each.
    Case(500064, "bybit", ("F04", "F34")),
    # A market order that was read back as open, and that no list had shown yet, had ended unheard.
    *(Case(seed, "okx", ("F04", "F08")) for seed in (6, 910007)),
)
