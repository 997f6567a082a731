"""Answers of a service that there never was, for pages to look at: `python3 made_up.py NAME` prints one as JSON."""
import datetime
import json
import math
import random
import sys

HOUR = 36_000_000_000
GIB, MIB = 1 << 30, 1 << 20
UTC = datetime.timezone.utc


def iso(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")


def sums(processes, cpu_hours, peak=None, failures=0, crashed=0, terminated=0, running=0, read=0, written=0):
    cpu = round(cpu_hours * HOUR)
    return {"processes": processes, "running": running, "exited": processes - running - crashed - terminated, "crashed": crashed, "terminated": terminated,
            "unknown": 0, "failures": failures, "userTime100ns": cpu * 7 // 8, "kernelTime100ns": cpu - cpu * 7 // 8, "wallTime100ns": cpu * 3,
            "peakCommitBytes": peak, "readBytes": read, "writeBytes": written, "withCpu": processes, "withIo": processes}


def report(key, rows, top=None):
    """rows: (name, sums). With the totals that belong to them."""
    total = {}
    for _, row in rows:
        for name, value in row.items():
            if name == "peakCommitBytes":
                total[name] = max(total.get(name) or 0, value or 0) or None
            elif value is not None:
                total[name] = total.get(name, 0) + value
    empty = sums(0, 0)
    rows = sorted(rows, key=lambda row: -row[1]["userTime100ns"] - row[1]["kernelTime100ns"])
    return {"rows": [{key: name, **row} for name, row in rows[:top]], "groups": len(rows), "total": {**empty, **total}, "complete": True, "completeFrom": None}


def whole(begin, end, **more):
    """Answers with nothing in them."""
    nothing = {key: report(key[2:].lower(), []) for key in ("byPool", "byDay", "byImage", "byUser")}
    return {"host": "BUILD-07", "from": iso(begin), "to": iso(end), "made": iso(end), "processors": 16, "zone": "W. Europe Standard Time (UTC+01:00)",
            "offsetMinutes": 60, "version": "0.1.0", "status": {"version": "0.1.0", "host": "Windows 10.0.20348", "database": {"degraded": False}},
            "pools": {"pools": []}, **nothing, "summary": {"pools": []}, "series": [], "events": {"events": [], "more": False}, **more}


# name, parent, share of the processors (busy, at night), memory at most (GiB), its limit, limit of the CPU (1/100 %)
POOLS = [
    ("build", None, .16, .03, 12, 64, 8000), ("build.release", "build", .31, .03, 27.4, 32, None), ("build.nightly", "build", .04, .42, 14, 24, 5000),
    ("tests", None, .28, .10, 22, 24, None), ("render", None, .12, .21, 9.5, None, 2500), ("analytics", None, .02, .16, 11.2, 12, None),
    ("deploy", None, .03, .01, 1.2, 8, None), ("mirror", None, .012, .02, .7, None, None), ("tools", None, .02, .004, .9, 96, None), ("scratch", None, .01, .0, .3, 2, None),
]


def rich():
    chance = random.Random(7)
    begin = datetime.datetime(2026, 11, 15, 23, 0, tzinfo=UTC)
    end = begin + datetime.timedelta(days=7)
    points, step = 168, HOUR  # a week
    series = []
    failures_on = {2: 3, 3: 9, 5: 2}
    by_day = []
    for name, _, day, night, memory, limit, cpu_limit in POOLS:
        rows, drift = [], 0
        for at in range(points):
            moment = begin + datetime.timedelta(hours=at)
            local = moment.hour + 1
            weekend = (begin + datetime.timedelta(hours=at + 1)).weekday() >= 5
            busy = math.exp(-((local - 14) / 4.2) ** 2) * (.18 if weekend else 1)
            asleep = math.exp(-(((local % 24) - 2.5) / 2.2) ** 2)
            drift = .8 * drift + chance.gauss(0, .09)
            share = max((day * busy + night * asleep) * (1 + drift), 0) + .002
            if name == "scratch" and at % 24 not in (10, 11, 12, 15):
                continue
            if name == "render" and 60 <= at < 78:
                continue
            most = min(memory * min(share / max(day, night) * .8 + .18 + abs(drift) * .3, 1), limit or 1e9) * GIB
            if cpu_limit:
                share = min(share, cpu_limit / 10000)
            started = int(share * 300 * chance.uniform(.7, 1.3))
            rows.append({"time": iso(moment), "processes": int(share * 90) + 1, "cpuTime100ns": int(share * 16 * step), "commitBytes": int(most),
                         "workingSetBytes": int(most * .8), "readBytes": int(share * 8 * GIB), "writeBytes": int(share * 3 * GIB),
                         "memoryLimitBytes": (44 if name == "build.release" and at < 60 else limit) * GIB if limit else None, "processLimit": None,
                         "cpuRateLimit": cpu_limit, "started": started, "ended": started, "failures": int(started * .01 * failures_on.get(at // 24, 1))})
        series.append({"pool": name, "points": rows})
    by_name = {one["pool"]: one["points"] for one in series}
    for name, parent, *_ in POOLS:  # a pool's values have those of the pools below it
        for point, its in zip(by_name[name], by_name.get(parent, [])):
            for key in ("processes", "cpuTime100ns", "commitBytes", "workingSetBytes", "readBytes", "writeBytes"):
                its[key] += point[key]
    for at in range(7):
        of_day = [point for one in series for point in one["points"] if point["time"][:10] == iso(begin + datetime.timedelta(days=at, hours=12))[:10]]
        by_day.append((iso(begin + datetime.timedelta(days=at, hours=12))[:10], sums(
            sum(point["started"] for point in of_day), sum(point["started"] for point in of_day) / 18, int(7.1 * GIB),
            sum(point["failures"] for point in of_day), terminated=12, crashed=3, read=at * 400 * GIB, written=at * 130 * GIB)))
    by_pool = []
    for one in series:
        started, failures = (sum(point[key] for point in one["points"]) for key in ("started", "failures"))
        by_pool.append((one["pool"], sums(started, started / 18, int(min(max(point["commitBytes"] for point in one["points"]), 7.1 * GIB) * .6),
                                          failures, crashed=failures // 9, terminated=failures // 4, running=3 if one["pool"] != "scratch" else 0,
                                          read=sum(point["readBytes"] for point in one["points"]), written=sum(point["writeBytes"] for point in one["points"]))))
    images = [("cl.exe", 18200, 612, 2.1, 160), ("link.exe", 2210, 204, 7.1, 31), ("node.exe", 3120, 141, 3.4, 74), ("MSBuild.exe", 1840, 88, 1.9, 12),
              ("python.exe", 5410, 71, 4.8, 92), ("blender.exe", 61, 66, 6.9, 1), ("vstest.console.exe", 880, 40, 1.2, 120), ("git.exe", 9020, 9.4, .4, 6),
              ("signtool.exe", 300, .6, .1, 0), ("robocopy.exe", 91, .4, .06, 2)]
    users = [("CORP\\svc-build", 31020, 905, 7.1, 310), ("CORP\\svc-tests", 8100, 240, 4.8, 160), ("CORP\\m.okafor", 900, 55, 6.9, 14),
             ("CORP\\j.lindqvist", 410, 22, 3.1, 8), ("NT AUTHORITY\\SYSTEM", 702, 11, .9, 6)]
    events, seq = [], 41000
    kinds = [("JOB_OBJECT_MSG_JOB_MEMORY_LIMIT", "tests", "vstest.console.exe", 34), ("JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS", "build.release", "cl.exe", 46),
             ("MEMORY_POLICY_SOFT", "analytics", None, 13), ("WALL_CLOCK_LIMIT", "tests", "node.exe", 9), ("REQUEST_DENIED", "build", None, 4), ("POOL_FROZEN", "render", None, 3),
             ("POOL_THAWED", "render", None, 3), ("POOL_UPDATED", "build.release", None, 2), ("CONFIG_RELOADED", "", None, 2), ("SERVICE_STARTED", "", None, 1),
             ("SERVICE_STOPPING", "", None, 1), ("MATCH_REFUSED", "tools", "setup.exe", 5)]
    for message, pool, process, count in kinds:
        for _ in range(count):
            hour = min(max(chance.gauss(86, 26) if count > 8 else chance.uniform(2, 166), 0), 167.9)
            events.append({"time": iso(begin + datetime.timedelta(hours=hour)), "pool": pool, "message": message, "origin": "service" if message[0] != "J" else "kernel",
                           **({"process": process, "pid": 4000 + int(hour)} if process else {}),
                           "detail": {"REQUEST_DENIED": "CORP\\j.lindqvist has no right to pool.terminate", "MEMORY_POLICY_SOFT": "8.6GiB of 12GiB in use",
                                      "CONFIG_RELOADED": "2 pools changed"}.get(message, "")})
    events.sort(key=lambda event: event["time"])
    for event in events:
        seq += 7
        event["seq"] = seq
    return whole(begin, end, pools={"pools": [{"name": row[0], "parent": row[1]} for row in POOLS]}, byPool=report("pool", by_pool), byDay=report("day", by_day),
                 byImage=report("image", [(name, sums(count, hours, int(peak * GIB), failed)) for name, count, hours, peak, failed in images]),
                 byUser=report("user", [(name, sums(count, hours, int(peak * GIB), failed)) for name, count, hours, peak, failed in users]),
                 series=[{"from": iso(begin), "to": iso(end), "step100ns": step, "complete": True, "series": series}], events={"events": events, "more": False})


def empty():
    end = datetime.datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    return whole(end - datetime.timedelta(days=1), end)


def a_point(moment, **more):
    return {"time": iso(moment), "processes": 1, "cpuTime100ns": 1, "commitBytes": 1, "workingSetBytes": 1, "readBytes": None, "writeBytes": None, "memoryLimitBytes": None,
            "processLimit": None, "cpuRateLimit": None, "started": 1, "ended": 1, "failures": 0, **more}


def one_point():
    end = datetime.datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    begin = end - datetime.timedelta(hours=1)
    point = a_point(begin + datetime.timedelta(minutes=30), cpuTime100ns=12_345_678, commitBytes=300 * MIB, memoryLimitBytes=512 * MIB, failures=1)
    return whole(begin, end, processors=1, byPool=report("pool", [("only", sums(1, .001, 300 * MIB, 1))]),
                 series=[{"step100ns": HOUR // 60, "series": [{"pool": "only", "points": [point]}]}])


def thousand():
    end = datetime.datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    begin = end - datetime.timedelta(hours=12)
    names = [f"pool-{number:04}" for number in range(1000)]
    series = [{"pool": name, "points": [a_point(begin + datetime.timedelta(hours=hour), cpuTime100ns=(1000 - at) * 10_000_000, commitBytes=(at % 97 + 1) * MIB) for hour in range(12)]}
              for at, name in enumerate(names)]
    return whole(begin, end, byPool=report("pool", [(name, sums(12, (1000 - at) / 300, (at % 97 + 1) * MIB)) for at, name in enumerate(names)]),
                 series=[{"step100ns": HOUR, "series": part} for part in (series[:500], series[500:])])


HOSTILE = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"'><svg onload=alert(1)>", "a" * 32768, "\x01\x02\x1b[31m\x7f", "\u202edlrow\u202c \u2066x",
           "\ufffe\uffff\ufdd0\U0001fffe", "&lt;b&gt; &#60; &amp;", "]]><!-- --!>", "javascript:alert(1)", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "line\nbreak\ttab", "\ud800 half"]


def hostile():
    end = datetime.datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    begin = end - datetime.timedelta(hours=6)
    series = [{"pool": name, "points": [a_point(begin + datetime.timedelta(hours=hour), cpuTime100ns=str((1 << 64) - 1 - at), commitBytes=str((1 << 63) + at), memoryLimitBytes=str((1 << 64) - 1))
                                        for hour in range(6)]} for at, name in enumerate(HOSTILE)]
    events = [{"seq": at + 1, "time": iso(begin + datetime.timedelta(minutes=at * 7)), "pool": name, "message": "REQUEST_DENIED", "origin": "service", "process": name, "detail": name}
              for at, name in enumerate(HOSTILE)]
    return whole(begin, end, host=HOSTILE[0], zone=HOSTILE[2], version=HOSTILE[1], status={"version": HOSTILE[1], "host": HOSTILE[0], "database": {"degraded": True, "reason": HOSTILE[1]}},
                 chosen=HOSTILE[:6], pools={"pools": [{"name": name, "parent": HOSTILE[0] if at else None} for at, name in enumerate(HOSTILE)]},
                 byPool=report("pool", [(name, sums(3, 1 << 18, (1 << 63) - 1, 1)) for name in HOSTILE]), byImage=report("image", [(name, sums(3, 1, 1, 1)) for name in HOSTILE]),
                 byUser=report("user", [(name, sums(3, 1, 1, 1)) for name in HOSTILE]), series=[{"step100ns": HOUR, "series": series}], events={"events": events, "more": False})


PAGES = {page.__name__: page for page in (rich, empty, one_point, thousand, hostile)}


def as_json(name):
    """Integers that a double does not hold are decimal strings, as the service writes them."""
    def exact(value):
        if isinstance(value, dict):
            return {key: exact(one) for key, one in value.items()}
        if isinstance(value, list):
            return [exact(one) for one in value]
        return str(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 1 << 53 else value
    return json.dumps(exact(PAGES[name]()))


if __name__ == "__main__":
    print(as_json(sys.argv[1]))
