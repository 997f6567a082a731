"""Completion: what the program proposes, and the scripts of three shells that ask it."""
import shutil
import subprocess
import time

import pytest

from harness.host import PATIENCE_S, PROGRAMS, WINDOWS


def proposed(service, *words):
    """{candidate: description}; the last word is the one that is being written."""
    result = service.jobpool("complete", "--", *words)
    assert result.returncode == 0 and result.stderr == ""
    return {line.partition("\t")[0]: line.partition("\t")[2] for line in result.stdout.splitlines()}


@pytest.mark.parametrize("words, some, none", [
    ([""], {"list", "pool", "accounting", "help", "completion"}, {"complete", "follow"}),
    (["acc"], {"accounting"}, {"list"}),
    (["pool", ""], {"list", "freeze", "kill"}, {"assign", "status"}),
    (["event", "f"], {"follow"}, {"list"}),
    (["accounting", "re"], {"report", "reset"}, {"purge"}),
    (["job", ""], {"query", "classes"}, {"list"}),
    (["list", "--"], {"--format", "--columns", "--sort", "--help"}, {"--pool"}),
    (["accounting", "report", "--"], {"--by", "--top", "--format"}, {"--older-than"}),
    (["list", "--format", ""], {"table", "csv", "ndjson", "json"}, {"list"}),
    (["--format", "nd"], {"ndjson"}, {"csv"}),
    (["list", "--format=c"], {"--format=csv"}, {"csv", "--format=json"}),
    (["list", "--format", "=", "c"], {"csv"}, {"json"}),
    (["list", "--format", "="], {"csv", "json"}, {"list"}),
    (["list", "--columns", "name,st"], {"name,state"}, {"name,source"}),
    (["list", "--sort", "-m"], {"-members"}, {"members"}),
    (["list", "-s", "na"], {"name"}, {"state"}),
    (["accounting", "--by", "pool,"], {"pool,day", "pool,image"}, {"pool"}),
    (["accounting", "processes", "--ending", "c"], {"crashed"}, {"exited"}),
    (["accounting", "--from", ""], {"today", "yesterday", "7d"}, {"now"}),
    (["show", ""], {"parent", "child", "other", "single"}, {"list"}),
    (["pool", "show", "pa"], {"parent"}, {"child"}),
    (["run", "--pool", "ch"], {"child"}, {"parent"}),
    (["run", "-p", ""], {"child", "parent"}, {"run"}),
    (["events", "--pool", "s"], {"single"}, {"parent"}),
    (["job", "query", "pa"], {"parent"}, {"child"}),
    (["help", ""], {"list", "pool", "units", "formats"}, {"table"}),
    (["help", "pool", "fr"], {"freeze"}, {"list"}),
    (["completion", ""], {"bash", "clink", "powershell"}, {"zsh"}),
    (["--json", "pool", "li"], {"list"}, {"kill"}),
    (["pool", "--json", "li"], {"list"}, {"kill"}),
])
def test_what_can_stand_there(service, words, some, none):
    found = proposed(service, *words).keys()
    assert some <= found and not none & found, found


@pytest.mark.parametrize("words", [["run", "--pool", "child", "--", ""], ["run", "--pool", "child", "cmd", "-"], ["show", "parent", ""], ["nothing", ""], ["pool", "nothing", ""],
                                   ["--pipe", ""], ["job", "set", "parent", ""]])
def test_nothing_is_proposed_that_cannot_be_known(service, words):
    assert proposed(service, *words) == {}


def test_what_they_are_is_said(service):
    assert proposed(service, "pool", "fre")["freeze"].startswith("stop all threads")
    assert proposed(service, "show", "pa")["parent"] == "has children"
    assert proposed(service, "list", "--json")["--json"] == "the same as --format json"


def test_without_a_service_there_are_no_pools_and_no_complaint(host):
    began = time.monotonic()
    result = host.run("jobpool", "--pipe", "jobpool-nobody", "complete", "--", "show", "")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "") and time.monotonic() - began < PATIENCE_S / 4
    assert "csv" in host.run("jobpool", "--pipe", "jobpool-nobody", "complete", "--", "list", "--format", "").stdout


def test_the_word_can_be_an_option(service):
    """As PowerShell has to say it, which drops empty arguments."""
    assert "freeze\t" in service.jobpool("complete", "--word=", "--", "pool").stdout
    assert service.jobpool("complete", "--word=fr", "--", "pool").stdout.startswith("freeze\t")


# ------------------------------------------------------------------------------------------------------------------- bash

def in_bash(service, *words):
    """COMPREPLY for a line whose words these are, in a real bash that has jobpool as a function."""
    wine = [] if WINDOWS else ["wine"]
    script = f"""
        jobpool() {{ {' '.join(wine)} '{PROGRAMS["jobpool"]}' "$@" </dev/null; }}
        source <(jobpool completion bash) || exit 1
        complete -p jobpool >&2
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _jobpool
        ((${{#COMPREPLY[@]}})) && printf '%s\\n' "${{COMPREPLY[@]}}"
        exit 0
    """
    environment = service.host.environment | {"JOBPOOL_PIPE": service.pipe}
    result = subprocess.run(["bash", "--norc", "-c", script, "bash", "jobpool", *words], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert "-F _jobpool jobpool" in result.stderr
    return result.stdout.splitlines()


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
@pytest.mark.parametrize("words, found", [
    (["pool", "fr"], ["freeze"]), (["accounting", "--by", "pool,d"], ["pool,day"]), (["list", "--format", "="], ["table", "csv", "ndjson", "json"]),
    (["show", "pare"], ["parent"]), (["run", "--", "x"], []), (["list", "--no"], ["--no-header"]), (["show", "no such $(echo pool) '"], []),
])
def test_bash(service, words, found):
    assert in_bash(service, *words) == found


# ------------------------------------------------------------------------------------------------------------------ clink

CLINK = r"""
-- What of clink the script uses, as clink's documentation has it: an argmatcher whose arguments are tables with functions that get the word, its
-- index and the line's state, and return matches; word 1 is the command.
local words, script = {}, table.remove(arg, 1)
for i, word in ipairs(arg) do words[i] = word end
local state = {}
function state:getcommandwordindex() return 1 end
function state:getwordcount() return #words end
function state:getword(i) return words[i] or '' end
local matcher = {}
function matcher:addarg(list) self.list = list; return self end
function matcher:loop() self.loops = true; return self end
clink = {}
function clink.argmatcher(name) assert(name == 'jobpool'); clink.made = matcher; return matcher end
local popen = io.popen
io.popen = function(line) io.stderr:write(line, '\n'); return popen((line:gsub('^2>nul jobpool', os.getenv('JOBPOOL_COMMAND')))) end
dofile(script)
assert(clink.made.loops)
for _, item in ipairs(clink.made.list) do
    for _, found in ipairs(item(words[#words], #words - 1, state)) do print(found.match .. '|' .. found.description) end
end
"""


def in_clink(service, tmp_path, *words):
    script, stand_in = tmp_path / "jobpool.lua", tmp_path / "clink.lua"
    script.write_text(service.jobpool("completion", "clink").stdout, encoding="utf-8")
    stand_in.write_text(CLINK, encoding="utf-8")
    environment = service.host.environment | {"JOBPOOL_PIPE": service.pipe, "JOBPOOL_COMMAND": " ".join(service.host.command("jobpool"))}
    return subprocess.run(["lua5.4", stand_in, script, "jobpool", *words], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=True,
                          stdin=subprocess.DEVNULL)


@pytest.mark.skipif(not shutil.which("lua5.4"), reason="there is no Lua 5.4")
@pytest.mark.parametrize("words, found", [
    (["pool", "fre"], ["freeze|stop all threads of a pool and those below it, until thaw"]), (["list", "--format", "cs"], ["csv|"]), (["show", "pare"], ["parent|has children"]),
])
def test_clink(service, tmp_path, words, found):
    assert in_clink(service, tmp_path, *words).stdout.splitlines() == found


@pytest.mark.skipif(not shutil.which("lua5.4"), reason="there is no Lua 5.4")
@pytest.mark.parametrize("word", ['"', "%PATH%", "a&calc", "x|y", ">f", "^", "!v!"])
def test_clink_passes_nothing_on_that_cmd_would_read(service, tmp_path, word):
    result = in_clink(service, tmp_path, "show", word)
    assert result.stdout == "" and "complete" not in result.stderr, "nothing was run"


# -------------------------------------------------------------------------------------------------------------- powershell

def test_the_powershell_script_can_be_read_here(service):
    script = service.jobpool("completion", "powershell").stdout
    assert "Register-ArgumentCompleter -Native -CommandName jobpool, jobpool.exe" in script
    assert all(script.count(one) == script.count(other) for one, other in ("()", "{}", "[]")) and script.count('"') % 2 == 0
    assert script.isascii(), "Windows PowerShell reads it in the machine's code page"


@pytest.mark.windows_only("PowerShell is there only on Windows")
def test_powershell(service):
    line = "jobpool pool fre"
    script = ("jobpool completion powershell | Out-String | Invoke-Expression; "
              f"(TabExpansion2 '{line}' {len(line)}).CompletionMatches | ForEach-Object {{ $_.CompletionText }}")
    environment = {"PATH": f"{PROGRAMS['jobpool'].parent};" + service.host.environment["PATH"], "JOBPOOL_PIPE": service.pipe}
    result = service.host.run("powershell", "-NoProfile", "-Command", script, environment=environment)
    assert result.stdout.split() == ["freeze"], result.stderr
