"""Job messages, from the port to committed rows and a subscriber's lines, beside the slower of taking the packets and inserting the rows. Two processors
can do both at a time; one does them in turn, so beside it stands what both take together."""
import contextlib

from measure import Figure, Pair, Section, run_wine


def pair(lab, host, name, kind, count):
    def both():
        with lab.fresh() as folder:
            found = run_wine(host, "messages_bench", host.path(folder), kind, count)
        taking, inserting = found["taking"], found["inserting"]
        return {"rate": found["ours"], "turns": found["ours"]}, {"rate": min(taking, inserting), "turns": 1 / (1 / taking + 1 / inserting)}
    return Pair(name, [Figure("rate", "", "messages/s", "higher", 0.7), Figure("turns", ", beside both in turn", "messages/s", "higher")], both=both)


@contextlib.contextmanager
def pairs(lab):
    with lab.wine() as host:
        yield [pair(lab, host, "job messages, of limits", "limits", lab.of(40000)),
               pair(lab, host, "job messages, of processes", "processes", lab.of(20000))]


SECTION = Section("messages", pairs)
