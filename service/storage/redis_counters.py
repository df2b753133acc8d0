"""The counters in Redis, where several machines share them; the only file that imports redis."""

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import redis

from service.storage.counters import DAY, SLACK_SECONDS, Count, CountersUnavailableError, Limit

_PREFIX = "{backline}:"
"""In a cluster the braces keep all counters on one node, so that one script may count several."""

_TIMEOUT_SECONDS = 2.0

# Looks first and counts only when every limit has room: a script runs alone. Redis' own clock decides, so that the
# clocks of the machines need not agree; a test hands its own over. Keys end by themselves, later than their window.
_USE = """
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local slack = tonumber(ARGV[2])
local found = {}
for i, key in ipairs(KEYS) do
  local seconds, most = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  local row = redis.call('HMGET', key, 'began', 'used')
  local began, used = tonumber(row[1]), tonumber(row[2])
  if not began or began + seconds <= now or began > now + slack then
    began, used = now, 0
    if seconds == 86400 then began = now - now % seconds end
  end
  if used + 1 > most then return {i, tostring(began), used + 1, tostring(now)} end
  found[i] = {began, used + 1}
end
local reply = {0, tostring(now)}
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, 'began', string.format('%.6f', found[i][1]), 'used', found[i][2])
  redis.call('EXPIRE', key, tonumber(ARGV[2 * i + 1]) + 3600)
  table.insert(reply, tostring(found[i][1]))
  table.insert(reply, found[i][2])
end
return reply
"""


class RedisCounters:
    """The counters of one Redis.

    Args:
        client: The connection.
        clock: Seconds since 1970, UTC; None takes the server's.
    """

    def __init__(self, client: "redis.Redis", clock: Callable[[], float] | None = None) -> None:
        self._client = client
        self._clock = clock
        self._script = client.register_script(_USE)

    def use(self, limits: Sequence[Limit]) -> list[Count]:
        """Count one use against every limit, or against none when one of them refuses it.

        Returns:
            One count a limit; or the refusing one alone.

        Raises:
            CountersUnavailableError: Redis does not answer; nothing may be let through uncounted.
        """
        now = "" if self._clock is None else repr(self._clock())
        figures = [str(figure) for limit in limits for figure in (limit.seconds, limit.most)]
        try:
            reply = cast(
                "list[Any]",
                self._script(keys=[_PREFIX + limit.name for limit in limits], args=[now, SLACK_SECONDS, *figures]),
            )
        except redis.RedisError as error:
            raise CountersUnavailableError(type(error).__name__) from error
        if reply[0]:
            return [_count(limits[reply[0] - 1], float(reply[1]), int(reply[2]), float(reply[3]))]
        rest = iter(reply[2:])
        return [_count(limit, float(next(rest)), int(next(rest)), float(reply[1])) for limit in limits]

    def read(self, name: str) -> int:
        """Return the uses of today, for a limit whose window is a day.

        Raises:
            CountersUnavailableError: Redis does not answer.
        """
        try:
            began, used = cast("list[bytes | None]", self._client.hmget(_PREFIX + name, "began", "used"))
            now = float(self._client.time()[0]) if self._clock is None else self._clock()
        except redis.RedisError as error:
            raise CountersUnavailableError(type(error).__name__) from error
        return int(used) if began is not None and used is not None and float(began) + DAY > now else 0

    def prune(self) -> None:
        """Nothing to do: windows that have ended go by themselves."""


def open_redis_counters(address: str) -> RedisCounters:
    """Open the counters of a Redis; nothing is asked of it yet."""
    client = redis.Redis.from_url(address, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS)
    return RedisCounters(client)


def _count(limit: Limit, began: float, used: int, now: float) -> Count:
    reset = max(1, math.ceil(began + limit.seconds - now))
    return Count(limit, max(0, limit.most - used), reset, refused=used > limit.most)
