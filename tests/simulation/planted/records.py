"""Planted bugs in what is written, when, and what a start makes of it."""

from typing import Final

from tests.simulation.planted.bug import Bug

_RUN: Final = "bot/engine/run.py"
_JOURNAL: Final = "bot/store/journal.py"
_DATABASE: Final = "bot/store/database.py"
_RECONCILE: Final = "bot/engine/reconcile.py"

RECORDS: Final = (
    Bug(
        "sent-before-it-is-written",
        _RUN,
        """        self.commit(Commit(self.engine.state.now_ms, told, decision.intents, (), decision.notes))
        await self.perform(decision.intents)
""",
        """        await self.perform(decision.intents)
        self.commit(Commit(self.engine.state.now_ms, told, decision.intents, (), decision.notes))
""",
        "the intents of an event are sent first and committed then",
        ("entry",),
    ),
    Bug(
        "second-round-unwritten",
        _RUN,
        "self.commit(Commit(now_ms, tuple(events), wanted, tuple(resolutions), notes))",
        "self.commit(Commit(now_ms, tuple(events), (), tuple(resolutions), notes))",
        "what outcomes cause is sent without ever being written",
        ("entry",),
    ),
    Bug(
        "outcomes-unwritten",
        _RUN,
        "self.commit(Commit(now_ms, tuple(events), wanted, tuple(resolutions), notes))",
        "self.commit(Commit(now_ms, (), wanted, tuple(resolutions), notes))",
        "what the venue answered is not written",
        ("entry",),
    ),
    Bug(
        "resolutions-unwritten",
        _RUN,
        "self.commit(Commit(now_ms, tuple(events), wanted, tuple(resolutions), notes))",
        "self.commit(Commit(now_ms, tuple(events), wanted, (), notes))",
        "how an intent ended is not written, so that each start asks for all of them",
        ("restart", "F68"),
    ),
    Bug(
        "no-fsync",
        _DATABASE,
        'connection.execute("PRAGMA synchronous = FULL")',
        'connection.execute("PRAGMA synchronous = OFF")',
        "a commit is not fsynced",
        ("F62",),
    ),
    Bug(
        "fsync-now-and-then",
        _DATABASE,
        'connection.execute("PRAGMA synchronous = FULL")',
        'connection.execute("PRAGMA synchronous = NORMAL")',
        "the log is fsynced only when it is moved into the file",
        ("F62",),
    ),
    Bug(
        "checkpoint-apart",
        _JOURNAL,
        """        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._write(commit)
""",
        """        cut = Commit(commit.ts_ms, checkpoint=commit.checkpoint)
        for part in (commit._replace(checkpoint=None), cut):
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._write(part)
""",
        "the checkpoint is a transaction of its own, after its events",
        ("entry",),
    ),
    Bug(
        "checkpoint-first",
        _JOURNAL,
        """        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._write(commit)
""",
        """        cut = Commit(commit.ts_ms, checkpoint=commit.checkpoint)
        for part in (cut, commit._replace(checkpoint=None)):
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._write(part)
""",
        "the checkpoint is a transaction of its own, before its events",
        ("entry",),
    ),
    Bug(
        "checkpoint-now-and-then",
        _RUN,
        "events=(*self._notes, *commit.events), checkpoint=cut)",
        "events=(*self._notes, *commit.events), checkpoint=cut if commit.intents else None)",
        "a commit without intents has no checkpoint, so that a start goes back too far",
        ("restart", "F68"),
    ),
    Bug(
        "venue-left-out-of-the-cut",
        _RUN,
        "self._feed.cursor(), self._venue_state())",
        "self._feed.cursor(), {})",
        "the checkpoint says nothing of what was last read of the account",
        ("F30", "F68"),
    ),
    Bug(
        "unknown-forgotten-by-a-start",
        "bot/store/statements.py",
        "facts FROM intent WHERE status IN {UNRESOLVED} ORDER BY seq",
        "facts FROM intent WHERE status = 'pending' ORDER BY seq",
        "a start does not ask for intents whose fate was unknown",
        ("unknown",),
    ),
    Bug(
        "full-disk-swallowed",
        _JOURNAL,
        """                self._write_whole(commit)
        except sqlite3.Error as error:
            raise failure("The journal could not be written to", self._path, error) from error
""",
        """                self._write_whole(commit)
        except sqlite3.Error:
            return
""",
        "a commit that fails counts as written",
        ("F61", "F60"),
    ),
    Bug(
        "lock-not-taken",
        "bot/app.py",
        "            self._lock.acquire()\n",
        "            self._lock.exists()\n",
        "two processes work on one database",
        ("F65",),
    ),
    Bug(
        "number-reused-after-a-start",
        "bot/engine/state.py",
        'if f.name not in ("markets", "tally", "in_flight", "rebalance", "halts", "errands")',
        'if f.name not in ("markets", "tally", "in_flight", "rebalance", "halts", "errands", "next_seq")',
        "a start counts intents from 1 again",
        ("F68",),
    ),
    Bug(
        "number-reused",
        "bot/engine/outbox.py",
        "    rounds, number = divmod(seq, _MOST_NUMBERS)\n",
        "    rounds, number = 0, seq % 16\n    seq = number\n",
        "the seventeenth client id is the first one again",
        ("entry", "F26"),
    ),
    Bug(
        "doubtful-sent-again",
        _RUN,
        "outcome = await self._exchange.outcome_of(intent) if is_doubtful else None",
        "outcome = None",
        "an intent of unknown fate is sent again unasked",
        ("unknown", "adopted", "regressions"),
    ),
    Bug(
        "lost-entry-sent-late",
        _RUN,
        "is_due = not self._is_late and self._end is None and intent.seq not in self._doubts",
        "is_due = True",
        "an entry that never arrived is sent by the next start, at another price",
        ("entry",),
    ),
    Bug(
        "unknown-counts-as-refused",
        _RUN,
        'return (Resolution(intent.seq, "unknown", message),)',
        'self._doubts.clear()\n        return (Resolution(intent.seq, "refused", message),)',
        "a request without an answer counts as one that failed",
        ("unknown", "F34", "F01"),
    ),
    Bug(
        "doubts-never-asked",
        _RUN,
        "if self._doubts and time.monotonic() > self._ask_due:",
        "if len(self._doubts) > 9 and time.monotonic() > self._ask_due:",
        "what became of an unanswered request is not asked before the next start",
        ("unknown", "F34", "F01"),
    ),
    Bug(
        "truth-before-what-is-open",
        _RECONCILE,
        """    await session.finish(recovered.pending, is_late=missed is not None)
    if missed is not None:
        await _settle_together(session, tuple(await missed()))
    await adopt_truth(session, await exchange.account())
""",
        """    await adopt_truth(session, await exchange.account())
    await session.finish(recovered.pending, is_late=missed is not None)
    if missed is not None:
        await _settle_together(session, tuple(await missed()))
""",
        "a start adopts the account before it settles its open intents",
        ("adopted", "F12"),
    ),
    Bug(
        "missed-not-told",
        _RECONCILE,
        "        await _settle_together(session, tuple(await missed()))\n",
        "        await missed()\n",
        "a start throws away what happened while the bot was away",
        ("F30", "F63", "F44"),
    ),
    Bug(
        "missed-told-one-by-one",
        _RECONCILE,
        """    if events:
        await session.settle(events, Decision(intents, notes))
""",
        """    for event in events:
        await session.settle((event,), Decision(intents if event is events[-1] else (), ()))
    await session.settle((), Decision((), notes))
""",
        "a death between two of the events that a start tells loses the rest",
        ("absence", "F63"),
    ),
    Bug(
        "foreign-adopted-silently",
        "bot/engine/foreign.py",
        "    before, market.foreign = market.foreign, actual\n",
        "    before, market.foreign, actual = market.foreign, None, None\n",
        "nobody is told of a position that somebody else opened, and entries go on",
        ("F45",),
    ),
)
