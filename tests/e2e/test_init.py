"""jobpool init: a first configuration from options or answers. What it writes is what the service takes."""
import itertools
import json

import pytest

counter = itertools.count(1)


@pytest.fixture
def place(host):
    """A folder for a configuration."""
    folder = host.drive_c / f"init-{next(counter)}"
    folder.mkdir()
    return folder


def init(host, file, *arguments, **options):
    return host.run("jobpool", "init", "--output", host.path(file), *arguments, **options)


def faults(host, file):
    """What the service says of it; nothing if it is good."""
    result = host.run("jobpoold", "--check-config", "--config", host.path(file))
    return "" if result.returncode == 0 else result.stdout


def content(file):
    """Its JSON, without the comments."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return json.loads("\n".join(line.split("//")[0] for line in lines))


def test_without_answers_it_has_defaults_and_is_good(host, place):
    file = place / "jobpool.json"
    result = init(host, file)
    assert result.returncode == 0, result.stderr
    assert faults(host, file) == ""
    config = content(file)
    assert config["database"]["file"] == host.path(place / "accounting.db") and config["log"]["file"] == host.path(place / "jobpool.log")
    assert config["pools"]["default"]["access"]["launch"] == ["Interactive"] and config["pools"]["default"]["limits"]["active_processes"] == 200


def test_the_next_steps_are_said(host, place):
    file = place / "jobpool.json"
    said = init(host, file).stdout
    assert f'install --config "{host.path(file)}"' in said and "jobpool doctor" in said
    assert 'sc create JobPool binPath= "\\"' in said and f'--config \\"{host.path(file)}\\""' in said
    answer = json.loads(init(host, file, "--json", "--force").stdout)
    assert answer["file"] == host.path(file) and answer["create"] in said and answer["program"].endswith("jobpoold.exe")


def test_a_folder_is_that_of_who_typed_it(host, place):
    """The service would take a name that is not whole as one below its own folder."""
    file = place / "jobpool.json"
    assert host.run("jobpool", "init", "--yes", "--output", host.path(file), "--data", "accounts", cwd=place).returncode == 0
    assert content(file)["database"]["file"] == host.path(place / "accounts" / "accounting.db")
    assert content(file)["log"]["file"] == host.path(place / "accounts" / "jobpool.log")


def test_options(host, place):
    file = place / "jobpool.json"
    result = init(host, file, "-p", "build", "--memory", "2GiB", "--processes", "7", "--allow", "Users", "--data", "C:\\some \"where\\")
    assert result.returncode == 0, result.stderr
    config = content(file)
    assert list(config["pools"]) == ["build"] and config["database"]["file"] == 'C:\\some "where\\accounting.db'
    pool = config["pools"]["build"]
    assert pool["limits"]["job_memory"] == "2GiB" and pool["limits"]["active_processes"] == 7 and pool["access"]["view"] == ["Users"]
    assert faults(host, file) == ""


def test_what_is_not_limited_is_left_out(host, place):
    file = place / "jobpool.json"
    assert init(host, file, "--processes", "", "--allow", "").returncode == 0
    pool = content(file)["pools"]["default"]
    assert "access" not in pool and "active_processes" not in pool["limits"] and "job_memory" not in pool["limits"]
    assert faults(host, file) == ""


@pytest.mark.parametrize("option, value, words", [
    ("--pool", "a b", "not a name for a pool"), ("--pool", "x\n}", "not a name"), ("--memory", "much", "not a size"), ("--memory", "1MiB\", \"x\": \"", "not a size"),
    ("--processes", "-1", "active_processes"), ("--processes", "many", "active_processes"), ("--processes", "0", "active_processes"),
])
def test_answers_that_are_not_good_write_nothing(host, place, option, value, words):
    file = place / "jobpool.json"
    result = init(host, file, option, value)
    assert result.returncode == 2 and words in result.stderr, result.stderr
    assert list(place.iterdir()) == []


def test_a_file_that_is_there_is_not_written_over(host, place):
    file = place / "jobpool.json"
    file.write_text("mine", encoding="utf-8")
    result = init(host, file, "--ask", input="never\n")
    assert result.returncode == 1 and "--force" in result.stderr and "Name of" not in result.stderr, "it is said before anything is asked"
    assert file.read_text(encoding="utf-8") == "mine"
    assert init(host, file, "--force").returncode == 0 and faults(host, file) == ""
    folder = init(host, file.parent, "--force")
    assert folder.returncode == 1 and "is a folder" in folder.stderr
    assert [path.name for path in place.iterdir()] == ["jobpool.json"]


def test_questions(host, place):
    """Each has a default; an answer that is not good is asked for again; what an option says is not asked."""
    file = place / "jobpool.json"
    result = init(host, file, "--ask", "--processes", "9", input="a b\nnightly\r\nmuch\n3GiB\n-\n\n")
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("Name of a first pool [default]: ") == 2 and result.stderr.count("[-]: ") == 2 and "How many" not in result.stderr
    pool = content(file)["pools"]["nightly"]
    assert pool["limits"]["job_memory"] == "3GiB" and pool["limits"]["active_processes"] == 9 and "access" not in pool
    assert content(file)["database"]["file"] == host.path(place / "accounting.db")


def test_answers_that_end_write_nothing(host, place):
    result = init(host, place / "jobpool.json", "--ask", input="nightly\n")
    assert result.returncode == 1 and "nothing was written" in result.stderr
    assert list(place.iterdir()) == []


def test_where_nothing_can_be_written(host, place):
    result = init(host, place / "no" / "folders" / "jobpool.json")
    assert result.returncode == 1 and "cannot make the folder" in result.stderr and "ERROR_PATH_NOT_FOUND" in result.stderr


def test_a_service_takes_it(host, place, console):
    service = console()
    service.config_file.unlink()
    assert init(host, service.config_file, "--pool", "first").returncode == 0
    text = service.config_file.read_text(encoding="utf-8")
    service.config_file.write_text(text.replace('"pools"', f'"pipe": {{"name": "{service.pipe}"}}, "pools"', 1), encoding="utf-8")
    service.start()
    assert service.json("list")["pools"][0]["name"] == "first"
    assert service.stop() == 0
