"""Installing, upgrading and taking out the service by its own commands, on a machine of its own: what Windows has of it before and after, what
is printed, what goes wrong in the middle. What the commands print is what docs/admin.md says."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from harness.host import BUILD, PROGRAMS, ROOT, WINDOWS, Host, wait_until

CONFIG = "C:\\ProgramData\\JobPool\\jobpool.json"
SERVICE_KEY = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\JobPool"
EVENT_KEY = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\JobPool"
NOT_KEPT = "Wine's service control manager does not keep these settings, nor has its sc words for them"


class Machine:
    """A machine without a service, and the programs on it as they come."""

    def __init__(self, host):
        self.host = host
        self.folder = host.drive_c / "Program Files" / "JobPool"
        self.data = host.drive_c / "ProgramData" / "JobPool"
        self.program = self.folder / "jobpoold.exe"
        self.config = self.data / "jobpool.json"

    def place_programs(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name in ("jobpoold", "jobpool"):
            shutil.copy(PROGRAMS[name], self.folder / f"{name}.exe")

    def jobpoold(self, *arguments, **options):
        return self.host.run(self.program, *arguments, timeout=120, **options)

    def jobpool(self, *arguments):
        return self.host.run("jobpool", *arguments)

    def done(self, *arguments, **options):
        """The lines of a command that must succeed."""
        result = self.jobpoold(*arguments, **options)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout.splitlines()

    def state(self):
        found = re.search(r"^\s*STATE\s*:\s*\d+\s+(\w+)", self.host.run("sc", "query", "JobPool").stdout, re.M)
        return found and found[1]

    def values(self, key):
        """What reg says of a key: {name: value}."""
        rows = re.findall(r"^    (\S+)    (REG_\w+)    (.*)$", self.host.run("reg", "query", key).stdout, re.M)
        return {name: int(value, 16) if kind == "REG_DWORD" else value.rstrip() for name, kind, value in rows}

    def picture(self):
        """Of the registry's part that installing touches, and of the files."""
        registry = self.host.run("reg", "query", "HKLM\\SYSTEM\\CurrentControlSet\\Services", "/s").stdout
        files = sorted(str(path) for top in ("ProgramData", "Program Files") for path in (self.host.drive_c / top).rglob("*"))
        return registry, files

    def clean(self):
        self.jobpoold("uninstall", "--purge", "--yes")
        self.host.run("sc", "stop", "JobPool")
        self.host.run("sc", "delete", "JobPool")
        shutil.rmtree(self.data, ignore_errors=True)


@pytest.fixture(scope="module")
def own_host():
    host = Host(BUILD.parent / f"wine-install-{os.getpid()}")
    yield host
    host.close()


@pytest.fixture
def machine(own_host):
    machine = Machine(own_host)
    machine.place_programs()
    yield machine
    machine.clean()


def commands(lines):
    return [line for line in lines if not line.startswith("rem ")]


def documented(after):
    """The lines of the code block of docs/admin.md that follows the given words."""
    text = (ROOT / "docs" / "admin.md").read_text(encoding="utf-8")
    return text[text.index(after):].split("```")[1].strip().splitlines()


# ----------------------------------------------------------------------------------------------------------- what is said

def test_a_dry_run_prints_what_the_manual_says_and_does_nothing(machine):
    before = machine.picture()
    assert machine.done("install", "--dry-run") == documented("Each step is printed as the command line that does the same")
    assert machine.picture() == before


def test_uninstalling_prints_what_the_manual_says(machine):
    machine.done("install")
    before = machine.picture()
    lines = documented("**To take it out**")
    assert commands(machine.done("uninstall", "--dry-run")) == lines
    assert machine.picture() == before and machine.state() == "RUNNING"
    assert commands(machine.done("uninstall")) == lines


def test_upgrading_prints_what_the_manual_says(machine):
    machine.done("install")
    before = machine.picture()
    new = newer(machine)
    lines = [line.replace(machine.host.path(new), "D:\\new\\jobpoold.exe") for line in machine.done("upgrade", "--from", machine.host.path(new), "--dry-run")]
    new.unlink()
    assert lines == documented("**A newer one**")
    assert machine.picture() == before and machine.state() == "RUNNING"


def test_the_manual_lists_the_privileges_that_the_code_uses():
    """One table in the code: nothing else there asks for a privilege, and the manual has the same."""
    table = re.findall(r'\{"(Se\w+)", (true|false), "([^"]+)"\}', (ROOT / "src" / "win32" / "privileges.c").read_text(encoding="utf-8"))
    manual = re.findall(r"^ *\| `(Se\w+)` \| (.+) \|$", (ROOT / "docs" / "admin.md").read_text(encoding="utf-8"), re.M)
    assert manual == [(name, purpose) for name, _, purpose in table] and sorted(manual) == manual
    for file in [*(ROOT / "src" / "win32").glob("*.c"), *(ROOT / "service").glob("*.c")]:
        text = file.read_text(encoding="utf-8")
        if file.name != "privileges.c":
            assert not re.search(r"\bSE_[A-Z_]+_NAME\b|L?\"Se[A-Z]\w+Privilege\"", text), f"{file.name} uses a privilege that privileges.c does not know"


@pytest.mark.parametrize("arguments, words", [
    (["instal"], 'no command "instal"; did you mean "install"?'), (["qqqq"], 'no command "qqqq"'), (["install", "--purge"], "install"), (["uninstall", "--from", "x"], "uninstall"), (["--dry-run"], "command"),
    (["install", "now"], "now"), (["install", "--console"], "install"),
    (["install", "--account", "x"], "no option: --account"), (["--config"], "wants a value: --config"), (["--console=yes"], "takes no value: --console=yes"),
])
def test_wrong_arguments(machine, arguments, words):
    result = machine.jobpoold(*arguments)
    assert result.returncode == 2 and words in result.stderr and machine.state() is None


# ------------------------------------------------------------------------------------------------------------- installing

def test_installing(machine):
    lines = machine.done("install")
    values = machine.values(SERVICE_KEY)
    assert values["ImagePath"] == f'"C:\\Program Files\\JobPool\\jobpoold.exe" --config "{CONFIG}"'
    assert values["Start"] == 2 and values["Type"] == 0x10 and values["ErrorControl"] == 1 and values["ObjectName"] == "LocalSystem"
    assert values["DisplayName"] == "JobPool process pools" and values["PreshutdownTimeout"] == 60000 and "job objects" in values["Description"]
    assert machine.values(EVENT_KEY) == {"EventMessageFile": "C:\\Program Files\\JobPool\\jobpoold.exe", "TypesSupported": 7}
    assert machine.state() == "RUNNING" and machine.jobpool("list").returncode == 0
    assert lines[-1] == "sc start JobPool" and machine.jobpoold("--check-config").returncode == 0
    if not WINDOWS:
        assert machine.data.stat().st_mode & 0o007 == 0, "nobody else may look into the data folder"


def test_a_second_installation_changes_nothing_and_says_so(machine):
    machine.done("install")
    before = machine.picture()
    lines = machine.done("install")
    assert commands(lines) == [] and "nothing was changed" in lines[-1]
    assert machine.picture() == before and machine.state() == "RUNNING"


def test_an_installation_that_differs_is_brought_in_line(machine):
    host = machine.host
    assert host.run("sc", "create", "JobPool", "binPath=", "C:\\old\\jobpoold.exe", "start=", "demand", "DisplayName=", "Old").returncode == 0
    host.run("reg", "add", EVENT_KEY, "/v", "TypesSupported", "/t", "REG_DWORD", "/d", "1", "/f")
    lines = machine.done("install", "--no-start")
    for line in ("rem command was: C:\\old\\jobpoold.exe", "rem display name was: Old", "rem start was: demand", "rem event types was: 1",
                 "sc config JobPool start= auto", 'sc config JobPool DisplayName= "JobPool process pools"'):
        assert line in lines, lines
    assert f'sc config JobPool binPath= "\\"C:\\Program Files\\JobPool\\jobpoold.exe\\" --config \\"{CONFIG}\\""' in lines
    values = machine.values(SERVICE_KEY)
    assert values["Start"] == 2 and values["DisplayName"] == "JobPool process pools" and values["ImagePath"].startswith('"C:\\Program Files')
    assert commands(machine.done("install", "--no-start")) == [] and machine.state() == "STOPPED"


def test_the_configuration_of_the_service_that_is_there_is_kept(machine):
    other = "C:\\ProgramData\\Elsewhere\\pools.json"
    machine.done("install", "--config", other)
    assert commands(machine.done("install")) == [], "without --config it is that of the service"
    assert (machine.host.drive_c / "ProgramData" / "Elsewhere" / "accounting.db").exists()
    assert not machine.config.exists()
    machine.done("uninstall", "--purge", "--yes")
    assert not (machine.host.drive_c / "ProgramData" / "Elsewhere").exists()


def test_a_faulty_configuration_is_refused_before_anything_is_done(machine):
    machine.data.mkdir()
    machine.config.write_text('{"pools": {"a": {"limits": {"active_process": 3}}}}', encoding="utf-8")
    before = machine.picture()
    result = machine.jobpoold("install")
    assert result.returncode == 1 and "active_processes" in result.stderr and "line 1" in result.stderr
    assert result.stdout == "" and machine.picture() == before


def test_what_was_done_is_taken_back_when_a_step_fails(machine):
    host = machine.host
    assert host.run("sc", "create", "Other", "binPath=", "C:\\other.exe", "DisplayName=", "JobPool process pools").returncode == 0
    try:
        before = machine.picture()
        result = machine.jobpoold("install")
        assert result.returncode == 1 and "cannot create the service" in result.stderr and "1078" in result.stderr
        lines = result.stdout.splitlines()
        undone = lines[next(at for at, line in enumerate(lines) if "taken back" in line) + 1:]
        assert undone == [f'del "{CONFIG}"', 'rmdir "C:\\ProgramData\\JobPool"']
        assert machine.picture() == before
    finally:
        host.run("sc", "delete", "Other")


def test_a_service_that_does_not_start_is_said_to_be_installed(machine):
    machine.done("install", "--no-start")
    machine.config.write_text("{", encoding="utf-8")
    machine.config.chmod(0o644)
    assert machine.jobpoold("install").returncode == 1
    machine.config.write_text('{"database": {"file": "C:\\\\no\\\\such\\\\folder\\\\a.db"}}', encoding="utf-8")
    result = machine.jobpoold("install")
    assert result.returncode == 1 and "stopped instead of starting" in result.stderr and "jobpool doctor" in result.stderr
    assert machine.state() == "STOPPED"


@pytest.mark.skipif(WINDOWS, reason="made with the rights of a Unix file")
def test_a_program_that_others_may_replace_is_not_installed(machine):
    machine.folder.chmod(0o777)
    result = machine.jobpoold("install")
    assert result.returncode == 1 and "Program Files" in result.stderr and "decides what the service does" in result.stderr
    assert machine.state() is None and not machine.data.exists()


@pytest.mark.skipif(WINDOWS, reason="made with the rights of a Unix file")
@pytest.mark.parametrize("others", ["Other\\", "tool.exe"])
def test_a_folder_that_is_not_the_services_alone_is_left_as_it_is(machine, others):
    """C:\\, C:\\ProgramData itself, the programs' folder: closed to all but administrators, the machine would be of no use."""
    folder = machine.host.drive_c / "ProgramData" / "Shared"
    folder.mkdir()
    try:
        (folder / others.rstrip("\\")).mkdir() if others.endswith("\\") else (folder / others).write_text("", encoding="utf-8")
        folder.chmod(0o777)
        before = machine.picture()
        for arguments in ([], ["--dry-run"]):
            result = machine.jobpoold("install", "--config", "C:\\ProgramData\\Shared\\jobpool.json", *arguments)
            assert result.returncode == 1 and others.rstrip("\\") in result.stderr and "folder of its own" in result.stderr
        assert machine.picture() == before and folder.stat().st_mode & 0o777 == 0o777
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("config", ["C:\\jobpool.json", "C:\\windows\\jobpool.json", "C:\\Program Files\\JobPool\\jobpool.json"])
def test_the_systems_own_folders_are_left_as_they_are(machine, config):
    before = machine.picture()
    result = machine.jobpoold("install", "--config", config, "--dry-run")
    assert "icacls" not in result.stdout and "mkdir" not in result.stdout and machine.picture() == before


def test_plain_lines_of_the_manual_are_taken_for_an_installation(machine):
    """Those that Wine's own tools know; on Windows all."""
    known = ("mkdir", "sc create", "sc description", "reg add") if not WINDOWS else ("mkdir", "icacls", "sc", "reg add")
    for line in documented("Each step is printed as the command line that does the same"):
        if line.startswith(known) and not line.startswith("sc start"):
            batch = machine.host.drive_c / "line.bat"
            batch.write_text(f"@{line}\r\n", encoding="utf-8")
            result = machine.host.run("cmd", "/c", "C:\\line.bat")
            assert result.returncode == 0, (line, result.stdout, result.stderr)
    rest = commands(machine.done("install", "--no-start"))
    allowed = ("jobpool init", f"reg add {SERVICE_KEY} /v PreshutdownTimeout")  # the manager reads that when the machine starts
    allowed += () if WINDOWS else ("icacls",)
    assert [line for line in rest if not line.startswith(allowed)] == []


# ---------------------------------------------------------------------------------------------------------- taking it out

def test_uninstalling_leaves_nothing_but_the_data(machine):
    before = machine.picture()
    machine.done("install")
    lines = machine.done("uninstall")
    assert "stay in C:\\ProgramData\\JobPool" in lines[-1] and machine.state() is None
    after = machine.picture()
    assert after[0] == before[0], "the registry is as it was"
    assert (machine.data / "accounting.db").exists() and machine.config.exists()
    assert "not installed" in machine.done("uninstall")[0]


def test_purging_leaves_nothing_at_all(machine):
    before = machine.picture()
    machine.done("install")
    refused = machine.jobpoold("uninstall", "--purge")
    assert refused.returncode == 1 and "--yes" in refused.stderr and machine.state() == "RUNNING", "nobody is there to ask"
    planned = [line for line in machine.done("uninstall", "--purge", "--dry-run") if line.startswith("del ")]
    assert planned and len(planned) == len(set(planned)), "each once"
    machine.done("uninstall", "--purge", "--yes")
    assert machine.picture() == before


@pytest.mark.skipif(WINDOWS, reason="made with the rights of a Unix file")
def test_a_configuration_that_others_may_write_does_not_say_what_is_deleted(machine):
    machine.done("install")
    precious = machine.host.drive_c / "precious.db"
    precious.write_text("", encoding="utf-8")
    machine.config.write_text('{"database": {"file": "C:\\\\precious.db"}}', encoding="utf-8")
    machine.config.chmod(0o666)
    result = machine.jobpoold("uninstall", "--purge", "--yes")
    assert result.returncode == 1 and "may write" in result.stderr and "Nothing was done" in result.stderr
    assert precious.exists() and machine.config.exists() and machine.state() == "RUNNING"
    precious.unlink()
    machine.done("uninstall")


def test_purging_leaves_what_is_not_the_services(machine):
    machine.done("install")
    (machine.data / "notes.txt").write_text("mine", encoding="utf-8")
    lines = machine.done("uninstall", "--purge", "--yes")
    assert any("there is more in it" in line for line in lines)
    assert [path.name for path in machine.data.iterdir()] == ["notes.txt"]


@pytest.mark.skipif(WINDOWS, reason="made with the rights of a Unix file")
def test_purging_believes_no_configuration_that_others_may_write(machine):
    """Else whoever can write it could have an administrator delete any file."""
    machine.done("install")
    precious = machine.host.drive_c / "precious.db"
    precious.write_text("not the service's", encoding="utf-8")
    machine.config.write_text(json.dumps({"database": {"file": "C:\\precious.db"}}), encoding="utf-8")
    machine.config.chmod(0o666)
    refused = machine.jobpoold("uninstall", "--purge", "--yes")
    assert refused.returncode == 1 and "may write" in refused.stderr and "Nothing was done" in refused.stderr
    assert precious.exists() and machine.state() == "RUNNING"
    machine.done("uninstall")
    machine.config.unlink()
    precious.unlink()


@pytest.mark.skipif(WINDOWS, reason="made with the rights of a Unix file")
def test_a_folder_that_has_others_in_it_is_not_closed(machine):
    """C:\\Windows, for one."""
    (machine.data / "tools").mkdir(parents=True)
    machine.data.chmod(0o777)
    refused = machine.jobpoold("install")
    assert refused.returncode == 1 and "a folder of its own" in refused.stderr and "icacls" not in refused.stdout
    assert machine.data.stat().st_mode & 0o777 == 0o777 and machine.state() is None


def test_processes_that_are_kept_are_said_to_go_on(machine):
    machine.done("install")
    launched = machine.jobpool("--json", "launch", "--pool", "default", "--", machine.host.program("jobber"), "sleep", "600000")
    assert launched.returncode == 0, launched.stderr
    lines = machine.done("uninstall")
    assert any("the keeper" in line for line in lines)
    machine.done("install")
    rows = machine.jobpool("--json", "ps", "default").stdout
    assert "jobber" in rows, "the next service takes it up"
    assert machine.jobpool("kill", "default").returncode == 0


# -------------------------------------------------------------------------------------------------------------- upgrading

def newer(machine, program="jobpoold"):
    """Another program of the same kind: with bytes behind its end, which Windows does not mind."""
    file = machine.host.drive_c / "newer.exe"
    file.write_bytes(PROGRAMS[program].read_bytes() + b"newer")
    file.chmod(0o755)
    return file


def service_pid(machine):
    found = re.search(r'"pid":(\d+)', machine.jobpool("--json", "status").stdout)
    return found and int(found[1])


def test_upgrading(machine):
    machine.done("install")
    before = service_pid(machine)
    new = newer(machine)
    lines = machine.done("upgrade", "--from", machine.host.path(new))
    assert machine.program.read_bytes() == new.read_bytes() and not machine.program.with_suffix(".exe.new").exists()
    assert machine.state() == "RUNNING" and service_pid(machine) not in (None, before)
    assert any(line.startswith("sc stop") for line in lines) and any(line.startswith("sc start") for line in lines)
    again = machine.done("upgrade", "--from", machine.host.path(new))
    assert commands(again) == [] and "nothing was changed" in again[0]
    new.unlink()


def test_the_new_program_can_upgrade_by_itself(machine):
    machine.done("install")
    new = newer(machine)
    result = machine.host.run(new, "upgrade", timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    assert machine.program.read_bytes() == new.read_bytes() and machine.state() == "RUNNING"
    assert [path.name for path in machine.folder.iterdir() if ".old" in path.name] == [], "nobody runs the old one: it is deleted"
    new.unlink()


def test_processes_go_on_over_an_upgrade(machine):
    machine.done("install")
    launched = machine.jobpool("--json", "launch", "--pool", "default", "--", machine.host.program("jobber"), "sleep", "600000")
    pid = re.search(r'"pid":(\d+)', launched.stdout)[1]
    new = newer(machine)
    result = machine.host.run(new, "upgrade", timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f'"pid":{pid},' in machine.jobpool("--json", "ps", "default").stdout
    assert [path.name for path in machine.folder.iterdir() if ".old" in path.name] == [], "the old keeper has ended, too"
    assert machine.jobpool("kill", "default").returncode == 0
    new.unlink()


def test_a_stopped_service_is_upgraded_and_stays_stopped(machine):
    machine.done("install", "--no-start")
    new = newer(machine)
    machine.done("upgrade", "--from", machine.host.path(new))
    assert machine.program.read_bytes() == new.read_bytes() and machine.state() == "STOPPED"
    new.unlink()


def test_a_program_that_is_none_is_not_put_in_place(machine):
    machine.done("install")
    before, old = service_pid(machine), machine.program.read_bytes()
    for content, words in ((b"a letter", "cannot start"), (PROGRAMS["jobber"].read_bytes(), "--version ended with exit code")):
        new = machine.host.drive_c / "none.exe"
        new.write_bytes(content)
        result = machine.jobpoold("upgrade", "--from", machine.host.path(new))
        assert result.returncode == 1 and words in result.stderr and "the old one goes on" in result.stderr, result.stderr
        new.unlink()
    assert service_pid(machine) == before and machine.program.read_bytes() == old, "it was not even stopped"
    assert sorted(path.name for path in machine.folder.iterdir()) == ["jobpool.exe", "jobpoold.exe"]


def test_the_old_program_comes_back_when_the_new_one_does_not_start(machine):
    machine.done("install")
    old = machine.program.read_bytes()
    new = newer(machine, "impostor")
    result = machine.jobpoold("upgrade", "--from", machine.host.path(new))
    assert result.returncode == 1 and "the old program comes back" in result.stdout, result.stdout + result.stderr
    assert machine.program.read_bytes() == old and machine.state() == "RUNNING"
    wait_until(lambda: machine.jobpool("status").returncode == 0, "the old service to answer")
    new.unlink()


def test_what_cannot_be_upgraded(machine):
    assert "not installed" in machine.jobpoold("upgrade").stderr
    machine.done("install", "--no-start")
    assert "--from" in machine.jobpoold("upgrade").stderr
    result = machine.jobpoold("upgrade", "--from", "C:\\nothing.exe")
    assert result.returncode == 1 and "there is no file" in result.stderr


# ---------------------------------------------------------------------------------------------------- only Windows shows it

def sc(machine, *arguments):
    return machine.host.run("sc", *arguments).stdout


@pytest.mark.windows_only(NOT_KEPT)
def test_sid_type_privileges_and_failure_actions_are_set(machine):
    machine.done("install", "--no-start")
    assert "UNRESTRICTED" in sc(machine, "qsidtype", "JobPool")
    said = sc(machine, "qprivs", "JobPool")
    table = re.findall(r'\{"(Se\w+)",', (ROOT / "src" / "win32" / "privileges.c").read_text(encoding="utf-8"))
    assert re.findall(r"Se\w+Privilege", said) == table
    assert re.findall(r"RESTART -- Delay = (\d+)", sc(machine, "qfailure", "JobPool")) == ["5000", "60000", "600000"]
    assert "TRUE" in sc(machine, "qfailureflag", "JobPool")


@pytest.mark.windows_only("Wine makes up a file's access list from Unix' modes")
def test_the_data_folder_is_for_the_system_and_administrators(machine):
    machine.data.mkdir()  # as anybody makes one: with what it takes over
    machine.done("install", "--no-start")
    said = subprocess.run(["icacls", machine.data], capture_output=True, text=True, check=True).stdout
    assert said.count("(F)") == 2 and "(I)" not in said


@pytest.mark.windows_only("under Wine everybody is an administrator")
def test_who_is_no_administrator_is_told_before_anything_is_done(machine):
    result = machine.host.run("runas", "/trustlevel:0x20000", f'"{machine.program}" install > C:\\Users\\Public\\said.txt 2>&1')
    assert result.returncode == 0
    wait_until(lambda: "administrator" in pathlib.Path("C:/Users/Public/said.txt").read_text(encoding="utf-8"), "the refusal")
    assert machine.state() is None and not machine.data.exists()
