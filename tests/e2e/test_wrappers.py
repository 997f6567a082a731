"""What HTCondor, Nomad, Jenkins and GitLab's runner rely on when `jobpool run` stands before the command (docs/wrappers.md)."""
import base64
import os
import subprocess
import threading

import pytest

from harness.host import WINDOWS, wait_until


def wrapped(service, host, *arguments, **options):
    return host.start("jobpool", "--pipe", service.pipe, "run", *arguments, **options)


def members(rpc, pool):
    return rpc.call("pool.processes", pool=pool)["processes"]


# ------------------------------------------------------------------------------------------------ the answer

@pytest.mark.parametrize("code", [0, 1, 2, 3, 75, 255])
def test_the_exit_code_is_the_answer(service, pool, jobber, code):
    """Jenkins and GitLab fail a build, HTCondor holds or repeats a job, Nomad restarts a task by it."""
    assert service.jobpool("run", "--pool", pool, "--end-tree", "--report", "--", *jobber("exit", code)).returncode == code


@pytest.mark.windows_only("a Unix process has eight bits of exit code, also under Wine")
@pytest.mark.parametrize("code", [256, 1460, 0x7FFFFFFF, 0xC0000005, 0xFFFFFFFF])
def test_all_32_bits_of_it(service, pool, jobber, code):
    result = service.jobpool("run", "--pool", pool, "--", *jobber("exit", code))
    assert result.returncode & 0xFFFFFFFF == code


# ----------------------------------------------------------------------------------------------- the streams

def test_a_line_arrives_while_the_command_runs(service, host, pool, jobber):
    """Consoles of Jenkins and GitLab, `nomad alloc logs -f`, `condor_tail`."""
    running = wrapped(service, host, "--pool", pool, "--", *jobber("hold"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert len(running.stdout.readline().split()) == 2 and running.poll() is None
    running.stdin.close()
    assert running.wait(60) == 0


@pytest.mark.parametrize("options", [[], ["--end-tree", "--report"]], ids=["plain", "with everything"])
def test_every_byte_goes_through(service, host, pool, jobber, tmp_path, options):
    data = bytes(range(256)) * 4096 + b"\r\n\x1a\x00\xff\xfe" + os.urandom(65536)
    (tmp_path / "in").write_bytes(data)
    with open(tmp_path / "in", "rb") as source, open(tmp_path / "out", "wb") as out, open(tmp_path / "err", "wb") as err:
        assert wrapped(service, host, "--pool", pool, *options, "--", *jobber("copy"), stdin=source, stdout=out, stderr=err).wait(60) == 0
    assert (tmp_path / "out").read_bytes() == data
    assert (tmp_path / "err").read_bytes().startswith(data) and (options or (tmp_path / "err").read_bytes() == data)


def test_every_byte_goes_through_pipes(service, host, pool, jobber):
    data = base64.b64encode(os.urandom(200000)) + b"\x00\x1a\xff\r\n"
    running = wrapped(service, host, "--pool", pool, "--", *jobber("copy"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.communicate(data, timeout=60) == (data, data)


def test_without_any_stream(service, host, rpc, pool, jobber, tmp_path):
    """As a service's child may be started: NUL for all."""
    trace = tmp_path / "ran"
    running = wrapped(service, host, "--pool", pool, "--end-tree", "--", *jobber("touch", host.path(trace)), stdin=subprocess.DEVNULL,
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert running.wait(60) == 0 and trace.exists()


def test_with_closed_streams(service, host, pool, jobber, tmp_path):
    trace = tmp_path / "ran"
    script = 'exec "$@" <&- >&- 2>&-'
    if WINDOWS:
        pytest.skip("a POSIX shell closes them")
    words = host.command("jobpool", "--pipe", service.pipe, "run", "--pool", pool, "--", *jobber("touch", host.path(trace)))
    assert subprocess.run(["sh", "-c", script, "sh", *words], env=host.environment, timeout=60, check=False).returncode == 0
    assert trace.exists()


# ------------------------------------------------------------------------------------- what the command finds

def test_the_environment_by_which_jenkins_finds_its_processes(service, host, pool, jobber):
    """Jenkins ends what has the build's BUILD_ID or JENKINS_NODE_COOKIE in its environment, and what such processes started."""
    environment = {"BUILD_ID": "42", "JENKINS_NODE_COOKIE": "8a6f", "CI_JOB_ID": "7", "_CONDOR_SCRATCH_DIR": "C:\\condor\\execute\\dir_1"}
    for name, value in environment.items():
        assert service.jobpool("run", "--pool", pool, "--end-tree", "--", *jobber("env", name), environment=environment).stdout == value + "\n"


def test_it_is_a_child_of_the_wrapper(service, host, rpc, pool, jobber):
    """taskkill /T, Jenkins' winp and HTCondor's procd go from parent to child."""
    pid, program = service.jobpool("run", "--pool", pool, "--", *jobber("parent", 0)).stdout.split()
    assert program.lower() == "jobpool.exe" and int(pid) > 0


def test_spaces_and_quotes(service, host, pool, jobber):
    """GitLab's scripts lie in folders with spaces; HTCondor's new syntax and Nomad's args pass quotes on."""
    arguments = ["C:\\Program Files\\x\\", 'say "hi"', "", "a  b", "%PATH%", "^&|<>", "tail\\\\", "--pool", "é世界"]
    assert service.jobpool("run", "--pool", pool, "--end-tree", "--", *jobber("args", *arguments)).stdout == "".join(word + "\n" for word in arguments)


# ------------------------------------------------------------------------------------------- how they end it

def test_it_is_ended_alone(service, host, rpc, pool, jobber):
    """TerminateProcess of the process that the wrapper started, and nothing else: Jenkins' and GitLab's last resort for the root."""
    running = wrapped(service, host, "--pool", pool, "--end-tree", "--", *jobber("tree", 2, 2, 600000), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(members(rpc, pool)) == 7, "the tree")
    root = next(row for row in members(rpc, pool) if row["parentPid"] not in {other["pid"] for other in members(rpc, pool)})
    host.run("jobber", "kill", root["parentPid"], 1)
    rpc.call("pool.wait", pool=pool, timeout="30s")
    running.wait(60)


def test_its_job_is_closed(service, host, rpc, pool, jobber):
    """Nomad since 1.9.1, and GitLab with FF_USE_WINDOWS_JOB_OBJECT: a job object around jobpool.exe that ends with who made it."""
    running = host.start("jobber", *in_job(service, host, pool, "--end-tree", "--", *jobber("tree", 1, 2, 600000)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(members(rpc, pool)) == 3, "the tree, in the wrapper's job and in the pool's")
    root = next(row for row in members(rpc, pool) if row["parentPid"] not in {other["pid"] for other in members(rpc, pool)})
    owner, program = host.run("jobber", "parent", root["parentPid"]).stdout.split()
    assert program == "jobber.exe", "it has the job"
    host.run("jobber", "kill", owner, 1)
    rpc.call("pool.wait", pool=pool, timeout="30s")
    running.wait(60)


def in_job(service, host, pool, *arguments):
    """The arguments of jobber that run the rest in a job object of its own."""
    return ["in-job", subprocess.list2cmdline([host.program("jobpool"), "--pipe", service.pipe, "run", "--pool", pool, *arguments])]


@pytest.mark.parametrize("options", [[], ["--end-tree"], ["--limit", "active_processes=4", "--report", "--end-tree"]], ids=["plain", "tied", "own pool"])
def test_within_a_job_all_the_rest_holds(service, host, pool, jobber, options):
    result = host.run("jobber", *in_job(service, host, pool, *options, "--", *jobber("copy")), input="through\n")
    assert (result.returncode, result.stdout) == (0, "through\n"), result.stderr


def test_two_jobs_cannot_share_a_pool_at_a_time(service, host, rpc, pool, jobber):
    """Windows' rule for nesting; the second is told, and nothing of it runs. docs/wrappers.md has what to do."""
    words = in_job(service, host, pool, "--", *jobber("hold"))
    first = host.start("jobber", *words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert first.stdout.readline()
    second = host.run("jobber", *words)
    assert second.returncode == 1 and "in a job that does not fit" in second.stderr and "nothing was run" in second.stderr
    first.stdin.close()
    assert first.wait(60) == 0


@pytest.mark.windows_only("Wine leaves a job below the one that it was nested in first")
def test_an_empty_pool_takes_the_next_wrappers_job(service, host, pool, jobber):
    for _ in range(2):
        assert host.run("jobber", *in_job(service, host, pool, "--end-tree", "--", *jobber("exit", 7))).returncode == 7


@pytest.mark.windows_only("Wine has no console here, so nothing delivers Ctrl-Break to a group")
@pytest.mark.parametrize("event", ["CTRL_BREAK_EVENT"])
def test_ctrl_break_reaches_the_command(service, host, rpc, pool, event):
    """Nomad's first word to a task, and GitLab's graceful termination: the command decides, and its exit code is the answer."""
    import signal
    script = "import signal, sys, time\nsignal.signal(signal.SIGBREAK, lambda *_: sys.exit(42))\nprint('ready', flush=True)\nwhile True: time.sleep(0.1)"
    running = wrapped(service, host, "--pool", pool, "--end-tree", "--", "py", "-c", script, stdout=subprocess.PIPE,
                      creationflags=subprocess.CREATE_NEW_PROCESS_GROUP)
    assert running.stdout.readline().strip() == b"ready"
    running.send_signal(getattr(signal, event))
    assert running.wait(60) == 42


@pytest.mark.windows_only("Wine's taskkill knows no /T")
def test_taskkill_of_the_tree(service, host, rpc, pool, jobber):
    running = wrapped(service, host, "--pool", pool, "--", *jobber("tree", 1, 2, 600000), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(members(rpc, pool)) == 3, "the tree")
    assert host.run("taskkill", "/F", "/T", "/PID", str(running.pid)).returncode == 0
    rpc.call("pool.wait", pool=pool, timeout="30s")
    running.wait(60)


def test_many_at_a_time(service, host, rpc, pool, jobber):
    """A farm of wrappers on one machine: each with a pool of its own for its run, none in another's way."""
    codes = {}

    def one(number):
        codes[number] = service.jobpool("run", "--pool", pool, "--limit", "active_processes=3", "--end-tree", "--report", "--", *jobber("exit", number)).returncode

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == {number: number for number in range(8)}
