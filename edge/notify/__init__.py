"""Who else is told: observers of a device's events. They open nothing, and nothing waits for them.

    device.observe(JsonLines(sys.stdout.fileno()), name="json")

An observer is a callable that takes one event (`edge.types.events`). `edge.service.observers` gives each a queue and a
thread of its own, so that one that is slow, stalled or dead never delays a claim, a door or a stop.
"""

from edge.notify.lines import JsonLines, Lines, Terminal, sentence

__all__ = ["JsonLines", "Lines", "Terminal", "sentence"]
