"""What `make dev` and `make test` share: where a stack lives, the emulator under it, the build and the deployment."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import account
import deploy
import samples
from deploy import CREDENTIALS, REGION, Deployed, DeployError
from places import BINARIES, LOCAL, ROOT
from process import Child, Stop, require_free, wait_for
from translate import HTTP_API_ID, HTTP_API_STAGE, WEBSOCKET_API_ID, WEBSOCKET_STAGE

TOOLS = {
    "cargo": "install Rust from https://rustup.rs",
    "cc": "install a C compiler, for instance gcc",
}


@dataclass(frozen=True)
class Settings:
    """Where one stack lives. `make dev` and `make test` have other ports and folders, so both can run at once."""

    name: str
    api_port: int
    aws_port: int
    enforce_iam: bool

    @classmethod
    def from_env(cls, name: str, *, api_port: int, aws_port: int, enforce_iam: bool) -> "Settings":
        return cls(
            name=name,
            api_port=port("LOCAL_PORT", api_port),
            aws_port=port("LOCAL_AWS_PORT", aws_port),
            enforce_iam=enforce_iam,
        )

    @property
    def folder(self) -> Path:
        return LOCAL / self.name

    @property
    def standstills(self) -> Path:
        return self.folder / "standstills.log"

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.api_port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://localhost:{self.api_port}/ws"

    @property
    def aws_endpoint(self) -> str:
        return f"http://127.0.0.1:{self.aws_port}"


@contextlib.contextmanager
def emulator(settings: Settings) -> Iterator[Child]:
    """Runs the emulator, ready for calls, with an empty state; stops it and its functions at the end."""
    with _only_one(settings.name):
        require_free(settings.api_port, "LOCAL_PORT")
        require_free(settings.aws_port, "LOCAL_AWS_PORT")
        shutil.rmtree(settings.folder, ignore_errors=True)
        scratch = settings.folder / "tmp"
        scratch.mkdir(parents=True)
        log = settings.folder / "emulator.log"
        child = Child("the emulator", _launch(settings), _environment(settings, scratch), log)
        try:
            wait_for(f"{settings.aws_endpoint}/_ministack/ready", "the emulator", child.check)
            yield child
        finally:
            child.stop()
            shutil.rmtree(scratch, ignore_errors=True)


def port(variable: str, default: int) -> int:
    """The port that the environment names, or the default."""
    text = os.environ.get(variable) or str(default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Stop(f"{variable} is {text!r}, which is not a port number")
    return int(text)


def build() -> None:
    """Builds every binary of the workspace with the dev profile; cargo shows its own progress."""
    for tool, advice in TOOLS.items():
        if not shutil.which(tool):
            raise Stop(f"{tool} is not installed: {advice}")
    print("Building the functions and the example agent ...", flush=True)
    command = ["cargo", "build", "--workspace", "--bins"]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise Stop("cargo build failed; its output above says where")


def bring_up(settings: Settings, child: Child, admin_token: str) -> Deployed:
    """Deploys the template to the emulator and returns once the API answers."""
    parameters = {"MoleculeEnv": "development", "AdminToken": admin_token, "PublicUrl": settings.base_url}
    parameters["ConsoleWebSocketUrl"] = settings.websocket_url
    # All clients here have one address.
    parameters["RateLimit"] = "1000000"
    try:
        parameters |= account.prepare(settings.aws_endpoint)
        deployed = deploy.deploy(settings.aws_endpoint, parameters)
    except DeployError as error:
        raise Stop(f"the deployment failed: {error}") from error
    print(f"Deployed {deployed.resources} resources in {deployed.seconds:.1f} s.", flush=True)
    wait_for(f"{settings.base_url}/health", "the API", child.check)
    samples.upload(deploy.client("s3", settings.aws_endpoint), deployed.outputs["BucketName"])
    samples.refresh(settings.base_url, admin_token)
    return deployed


@contextlib.contextmanager
def fleet(settings: Settings) -> Iterator[Child]:
    """Runs the local fleet: the machines that the deployed stack makes come to life, and end with it."""
    command = [
        sys.executable,
        str(Path(__file__).with_name("fleet.py")),
        f"--aws-port={settings.aws_port}",
        f"--platform={settings.base_url}",
        f"--agent={BINARIES / 'agent-example'}",
        f"--folder={settings.folder}",
    ]
    environment = {
        "PYTHONUNBUFFERED": "1",
        "HEARTBEAT_SECONDS": os.environ.get("HEARTBEAT_SECONDS", "30"),
    }
    child = Child("the local fleet", command, environment, settings.folder / "fleet.log")
    try:
        yield child
    finally:
        child.stop()


@contextlib.contextmanager
def _only_one(name: str) -> Iterator[None]:
    """Two runs in one folder would delete each other's logs and code."""
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(f"another `make {name}` of this folder is running; stop it first") from None
        yield


def _launch(settings: Settings) -> list[str]:
    return [
        sys.executable,
        str(Path(__file__).with_name("launch.py")),
        f"--aws-port={settings.aws_port}",
        f"--api-port={settings.api_port}",
        f"--http-api={HTTP_API_ID}/{HTTP_API_STAGE}",
        f"--websocket-api={WEBSOCKET_API_ID}/{WEBSOCKET_STAGE}",
        f"--permissions={settings.folder / 'permissions.tsv'}",
        f"--standstills={settings.standstills}",
    ]


def _environment(settings: Settings, scratch: Path) -> dict[str, str]:
    """The emulator's whole environment. Nothing is inherited: every function would inherit it in turn."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(scratch),  # the emulator unpacks the functions' code there
        "GATEWAY_PORT": str(settings.aws_port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "localhost",
        "IOT_MTLS_ENABLED": "false",  # else it opens port 8883 to the network, whatever BIND_HOST says
        "MINISTACK_WORKER_THREADS": "512",  # one an invocation: none must wait for one that waits for it
        "LAMBDA_WARM_TTL_SECONDS": "60",  # of 300: a run of all tests has hundreds of idle processes even so
        "DOCKER_HOST": "unix:///nonexistent",  # else it removes containers of other emulators on this machine
        "AWS_ENDPOINT_URL": settings.aws_endpoint,  # without it functions would call the real AWS
        "AWS_ENDPOINT_URL_STS": settings.aws_endpoint,  # where the bootstrap exchange asks whose signature that is
        "AWS_DEFAULT_REGION": REGION,
        "AUTH": str(settings.enforce_iam).lower(),
        **{name.upper(): value for name, value in CREDENTIALS.items()},
    }
