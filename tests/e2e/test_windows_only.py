"""What only real Windows can show. Under Wine each is skipped with its reason; on Windows they run, elevated, like the rest."""
import json
import subprocess

import pytest

from harness.host import wait_until

LIMITS_NOT_KEPT = "Wine accepts job limits and forgets them"


def powershell(host, script, timeout=60):
    result = host.run("powershell", "-NoProfile", "-NonInteractive", "-Command", script, timeout=timeout)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


class Account:
    """A local account of this machine, for the time of a test."""

    PASSWORD = "Jp!account2026"

    def __init__(self, host, name):
        self.host, self.name = host, name
        powershell(host, f"net user {name} '{self.PASSWORD}' /add")

    def run(self, program, *arguments):
        """The exit code and what it printed, of one of our programs run by this account."""
        words = ",".join("'" + str(argument).replace("'", "''") + "'" for argument in arguments)
        out = powershell(self.host, f"$c = New-Object PSCredential('{self.name}', (ConvertTo-SecureString '{self.PASSWORD}' -AsPlainText -Force)); "
                                    f"$p = Start-Process -Wait -PassThru -Credential $c -WorkingDirectory $env:PUBLIC -FilePath '{self.host.program(program)}' "
                                    f"-ArgumentList {words} -RedirectStandardOutput $env:PUBLIC\\jp-out.txt -RedirectStandardError $env:PUBLIC\\jp-err.txt; "
                                    "$p.ExitCode; Get-Content $env:PUBLIC\\jp-out.txt, $env:PUBLIC\\jp-err.txt")
        code, _, text = out.partition("\n")
        return int(code), text.strip()

    def remove(self):
        powershell(self.host, f"net user {self.name} /delete")


@pytest.fixture
def account(host):
    made = []

    def make(name):
        made.append(Account(host, name))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.mark.windows_only("Wine stores a pipe's DACL and does not enforce it")
def test_a_guest_is_not_let_in(host, service, account):
    guest = account("jp-guest")
    groups = powershell(host, "(Get-LocalGroup -SID S-1-5-32-546).Name; (Get-LocalGroup -SID S-1-5-32-545).Name").splitlines()
    powershell(host, f"Add-LocalGroupMember '{groups[0]}' jp-guest; Remove-LocalGroupMember '{groups[1]}' jp-guest -ErrorAction SilentlyContinue")
    assert json.loads(guest.run("pipes", "probe", f"\\\\.\\pipe\\{service.pipe}")[1])["error"] == 5


@pytest.mark.windows_only("under Wine every process runs as one user, an administrator")
def test_an_ordinary_user_may_look_and_no_more(service, pool, account):
    user = account("jp-user")
    code, text = user.run("jobpool", "--pipe", service.pipe, "list")
    assert code == 0 and pool in text
    for command in (("create", "mine"), ("launch", "--pool", pool, "cmd.exe"), ("kill", pool), ("freeze", pool), ("delete", pool), ("reload",)):
        code, text = user.run("jobpool", "--pipe", service.pipe, *command)
        assert code != 0 and "has no right" in text, (command, text)


@pytest.mark.windows_only("under Wine every process runs as one user, so a launch as the caller and one as the service are alike")
def test_a_launch_runs_as_who_asked(service, rpc, pool, jobber, account):
    user = account("jp-user")
    rpc.call("pool.update", pool=pool, access={"launch": ["jp-user"]})
    code, text = user.run("jobpool", "--pipe", service.pipe, "--json", "launch", "--pool", pool, *jobber("sleep", 5000))
    assert code == 0, text
    row = rpc.call("process.get", pid=json.loads(text)["pid"])
    assert row["user"].lower().endswith("\\jp-user")


@pytest.mark.windows_only("under Wine every process runs as one user, so nobody can be kept from another's process")
def test_an_assignment_opens_the_process_as_who_asked(service, rpc, pool, held, account):
    user, process = account("jp-user"), held()
    rpc.call("pool.update", pool=pool, access={"assign": ["jp-user"]})
    code, text = user.run("jobpool", "--pipe", service.pipe, "assign", "--pool", pool, process.pid)
    assert code != 0 and "ERROR_ACCESS_DENIED" in text, "an administrator's process is not his"
    assert rpc.call("pool.processes", pool=pool)["processes"] == []


@pytest.mark.windows_only("Wine has no remote pipes, so rejecting them cannot be seen")
def test_remote_clients_are_rejected(host, service):
    name = powershell(host, "$env:COMPUTERNAME")
    result = host.run("pipes", "probe", f"\\\\{name}\\pipe\\{service.pipe}")
    assert json.loads(result.stdout)["error"] != 0


@pytest.mark.windows_only("Wine does not enforce FILE_FLAG_FIRST_PIPE_INSTANCE")
def test_a_taken_name_keeps_the_service_from_starting(host, console):
    service = console()
    squatter = host.start("pipes", "squat", service.pipe, 30000, stdout=subprocess.PIPE)
    assert json.loads(squatter.stdout.readline())["error"] == 0
    try:
        service.launch()
        assert service.exit_code() != 0 and service.pipe in service.stderr()
    finally:
        squatter.kill()


@pytest.mark.windows_only("Wine does not enforce a pipe's DACL")
def test_nobody_else_makes_an_instance_of_the_pipe(host, service):
    squatter = host.start("pipes", "squat", service.pipe, 0, stdout=subprocess.PIPE)
    assert json.loads(squatter.stdout.readline())["error"] == 5


@pytest.mark.windows_only("Wine's event log takes entries and keeps none")
def test_the_event_log_tells_of_start_stop_and_bad_config(host, service):
    service.restart()
    texts = powershell(host, "Get-WinEvent -ProviderName JobPool -MaxEvents 20 | ForEach-Object { $_.Message }")
    assert "start" in texts.lower() and "stop" in texts.lower()
    good = service.config_file.read_text()
    try:
        service.write_config('{"pools": {"p": {"limts": {}}}}')
        host.run("jobber", "control", service.name, 6)
        wait_until(lambda: "limts" in powershell(host, "(Get-WinEvent -ProviderName JobPool -MaxEvents 1).Message"), "the entry")
    finally:
        service.write_config(good)


@pytest.mark.windows_only(LIMITS_NOT_KEPT)
def test_the_kernel_keeps_the_number_of_processes(rpc, pool, jobber, accounted):
    rpc.call("pool.update", pool=pool, limits={"active_processes": 2})
    rpc.call("events.subscribe", pools=[pool])
    rpc.call("pool.launch", pool=pool, argv=jobber("tree", 1, 3, 500))
    assert rpc.event(lambda event: event["message"] == "JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT")
    rpc.call("pool.wait", pool=pool)


@pytest.mark.windows_only(LIMITS_NOT_KEPT)
def test_the_kernel_keeps_memory(rpc, pool, jobber):
    rpc.call("pool.update", pool=pool, limits={"process_memory": "64MiB"})
    rpc.call("events.subscribe", pools=[pool])
    process = rpc.call("pool.launch", pool=pool, argv=jobber("allocate", 256, 0))
    assert rpc.call("pool.wait", pool=pool, pid=process["pid"])["exitCode"] == 65
    assert rpc.event(lambda event: event["message"] == "JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT")


@pytest.mark.windows_only(LIMITS_NOT_KEPT)
def test_the_kernel_keeps_cpu_time(rpc, pool, jobber):
    rpc.call("pool.update", pool=pool, limits={"process_time": "1s"})
    rpc.call("events.subscribe", pools=[pool])
    process = rpc.call("pool.launch", pool=pool, argv=jobber("burn", 20000))
    assert rpc.call("pool.wait", pool=pool, pid=process["pid"], timeout="15s")["exitCode"] != 0
    assert rpc.event(lambda event: event["message"] == "JOB_OBJECT_MSG_END_OF_PROCESS_TIME")


@pytest.mark.windows_only(LIMITS_NOT_KEPT)
def test_limits_are_the_jobs_own(rpc, pool):
    limits = rpc.call("service.capabilities")["limits"]
    for key in ("active_processes", "process_memory", "job_memory", "process_time", "job_time", "priority_class", "affinity", "cpu_rate"):
        assert limits[key] == "kernel", key


@pytest.mark.windows_only("Wine sends EXIT_PROCESS for a crash; that the service puts it right is tested elsewhere")
def test_the_kernel_itself_tells_of_a_crash(rpc, pool, jobber):
    rpc.call("events.subscribe", pools=[pool])
    rpc.call("pool.launch", pool=pool, argv=jobber("crash"))
    event = rpc.event(lambda event: event["message"] == "JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS")
    assert event["origin"] == "kernel"


@pytest.mark.windows_only("Wine gives zeros for another process's I/O")
def test_io_is_accounted(rpc, pool, jobber, accounted):
    rpc.call("pool.launch", pool=pool, argv=["cmd.exe", "/c", "dir /s C:\\Windows\\System32\\drivers > NUL"])
    assert accounted(pool, 1)[0]["otherOperations"] > 100


@pytest.mark.windows_only("Wine's jobs count no CPU time")
def test_jobs_count_what_their_processes_use(rpc, pool, jobber):
    """While it is used, in the job and in the one above it: what pool.get tells lies between what its members have used before and after."""
    below = f"{pool}-below"
    rpc.call("pool.create", name=below, parent=pool)
    for name in (pool, below):
        rpc.call("pool.launch", pool=name, argv=jobber("burn", 20000))

    def members():
        return sum(row["userTime100ns"] for row in rpc.call("pool.processes", pool=pool)["processes"])

    def own():
        return sum(rpc.call("pool.get", pool=name)["counters"]["userTime100ns"] for name in (pool, below))

    def told():
        return rpc.call("pool.get", pool=pool)["usage"]["userTime100ns"]

    last = members()
    for _ in range(3):
        wait_until(lambda: told() > last + 5_000_000, "its use to rise though nobody looks")  # noqa: B023 - it is called at once
        for now in (members, told, members, own, members):
            assert now() >= last, now.__name__
            last = max(last, members())
    rpc.call("pool.terminate", pool=pool)
    rpc.call("pool.wait", pool=pool)
    assert own() >= last and told() >= last
    rpc.call("pool.delete", pool=below)


@pytest.mark.windows_only("under Wine every process runs as one user, so nobody can be kept from another's process")
def test_a_client_cannot_assign_what_it_could_not_open(host, rpc, pool):
    system = int(powershell(host, "(Get-Process -Name csrss | Select-Object -First 1).Id"))
    error = rpc.error("pool.assign", pool=pool, pid=system)
    assert error.data["win32"] == 5
