"""What a member costs among so many, beside one among a thousand: the same, if decisions are linear."""
import contextlib

from measure import Figure, Pair, Section, run_native


@contextlib.contextmanager
def pairs(lab):
    del lab
    yield [Pair(f"policy, {members} members", [Figure("member_ns", "", "ns/member", "lower", 1.3)],
                lambda members=members: run_native("policy_bench", members), lambda: run_native("policy_bench", 1000)) for members in (10, 100000)]


SECTION = Section("decisions", pairs)
