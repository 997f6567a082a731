"""jobpool run: a command in a pool, as if it had been started directly."""
import signal
import subprocess
import time

import pytest

from harness.host import WINDOWS, wait_until


def run(service, pool, *command, **options):
    return service.jobpool("run", "--pool", pool, "--", *command, **options)


@pytest.mark.parametrize("code", [0, 1, 2, 3, 77])
def test_the_exit_code_is_the_commands(service, pool, jobber, code):
    assert run(service, pool, *jobber("exit", code)).returncode == code


def test_large_exit_codes_are_in_the_accounts(service, pool, jobber, accounted):
    run(service, pool, *jobber("exit", 0x12345678))
    run(service, pool, *jobber("crash"))
    assert [(row["exitCode"], row["ending"]) for row in accounted(pool, 2)] == [(0x12345678, "exited"), (0xC0000005, "crashed")]


def test_standard_streams_are_the_callers(service, pool, jobber):
    result = run(service, pool, *jobber("copy"), input="é one\ntwo\n")
    assert (result.returncode, result.stdout, result.stderr) == (0, "é one\ntwo\n", "é one\ntwo\n")


@pytest.mark.parametrize("arguments", [
    ["plain"], ["two words"], [""], ["a", "", "b"], ['say "hi"'], ["\\"], ["tail\\"], ["tail space\\"], ['\\"'], ['a\\\\"b'], ["\t"],
    ["é世界😀"], ["*", "?", "*.*"], ["--json", "--pipe", "x"], ["--"], ["-"], ["%PATH%", "^", "&", "|", "<", ">"], ["'single'"],
    ["a" * 20000],
])
def test_arguments_arrive_as_they_were_given(service, pool, jobber, arguments):
    result = run(service, pool, *jobber("args", *arguments))
    assert result.returncode == 0 and result.stdout == "".join(argument + "\n" for argument in arguments)


def test_options_end_at_the_command(service, pool, host):
    result = service.jobpool("run", "--pool", pool, host.program("jobber"), "args", "--pool", "x")
    assert result.stdout == "--pool\nx\n"


def test_environment_and_folder_are_the_callers(service, pool, jobber, host, tmp_path):
    assert run(service, pool, *jobber("env", "JP_MINE"), environment={"JP_MINE": "ä"}).stdout == "ä\n"
    assert run(service, pool, *jobber("cwd"), cwd=tmp_path).stdout.strip().lower() == host.path(tmp_path).lower()


def test_it_is_accounted_like_any_other(service, rpc, pool, jobber, accounted):
    run(service, pool, *jobber("exit", 5))
    row = accounted(pool, 1)[0]
    assert (row["exitCode"], row["ending"], row["joinedBy"]) == (5, "exited", "service") and "exit 5" in row["commandLine"]


def test_children_are_in_the_pool_from_the_first_instruction_on(service, pool, jobber, accounted):
    run(service, pool, *jobber("tree", 1, 2, 50))
    accounted(pool, 3)


def test_nothing_runs_when_the_pool_is_unknown(service, host, jobber, tmp_path):
    trace = tmp_path / "ran"
    result = run(service, "no-such-pool", *jobber("touch", host.path(trace)))
    assert result.returncode == 1 and "no-such-pool" in result.stderr and "nothing was run" in result.stderr
    assert not trace.exists()


def test_nothing_runs_when_the_pool_is_full(service, rpc, host, jobber, tmp_path):
    rpc.call("pool.launch", pool="single", argv=jobber("sleep", 60000))
    trace = tmp_path / "ran"
    result = run(service, "single", *jobber("touch", host.path(trace)))
    assert result.returncode == 1 and "full" in result.stderr
    rpc.call("pool.terminate", pool="single")
    rpc.call("pool.wait", pool="single")
    assert not trace.exists()


def test_nothing_runs_without_a_service(host, jobber, tmp_path):
    trace = tmp_path / "ran"
    result = host.run("jobpool", "--pipe", "jobpool-nobody", "run", "--pool", "p", "--", *jobber("touch", host.path(trace)))
    assert result.returncode == 3 and "sc start JobPool" in result.stderr
    assert not trace.exists()


def test_a_command_that_does_not_exist(service, rpc, pool):
    result = run(service, pool, "no-such-program.exe", "x")
    assert result.returncode == 1 and "no-such-program.exe" in result.stderr
    assert rpc.call("accounting.processes", pool=pool)["processes"] == []


def test_usage(service):
    assert service.jobpool("run", "cmd").returncode == 2
    assert service.jobpool("run", "--pool", "child").returncode == 2


def test_a_pool_that_is_terminated_ends_the_run(service, rpc, pool, jobber, host):
    running = host.start("jobpool", "--pipe", service.pipe, "run", "--pool", pool, "--", *jobber("sleep", 60000),
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: rpc.call("pool.get", pool=pool)["members"] == 1, "the process")
    rpc.call("pool.terminate", pool=pool, exitCode=42)
    assert running.wait(60) == 42


def test_ctrl_c_is_the_commands(service, rpc, pool, jobber, host):
    """The command ignores it (it does not even know); we go on waiting, and pass its exit code on."""
    options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if WINDOWS else {}
    running = host.start("jobpool", "--pipe", service.pipe, "run", "--pool", pool, "--", *jobber("hold"), stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options)
    assert running.stdout.readline(), "the command runs"
    if WINDOWS:
        pytest.skip("Ctrl-Break to the group would reach the command as well, as it should")
    running.send_signal(signal.SIGINT)
    time.sleep(0.3)  # nothing is to happen, and nothing tells when it has not
    assert running.poll() is None and rpc.call("pool.get", pool=pool)["members"] == 1
    running.stdin.close()
    assert running.wait(60) == 0
