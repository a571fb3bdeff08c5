"""Who may come in, over which wire, with which token; and what abuse does: nothing to others."""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import signal
import ssl
import stat
from pathlib import Path

import grpc
import pytest
from host_rig import HERE, Process, Rig, wait_for
from pyflow_activity import HostClient
from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import activity_host_pb2_grpc as host_grpc
from pyflow_api.v1 import payload_pb2
from pyflow_api.v1 import worker_pb2 as pb
from pyflow_host.main import main
from raw_worker import RawWorker

CERTIFICATES = HERE / "certificates"
TLS_HOST = ("--tls-cert", str(CERTIFICATES / "host.pem"), "--tls-key", str(CERTIFICATES / "host.key"))
FUZZ_STREAMS = 60
FUZZ_FRAMES = 30


def address_of(host: Process) -> str:
    return host.line_with("Activity host ready: ").split()[-1]


def works(rig: Rig) -> bool:
    run = rig.run()
    run.schedule("add", "1")
    return run.end()[1].get("result") == '{"sum":2}'


def worker_at(rig: Rig, address: str, *arguments: str, env: dict[str, str] | None = None) -> Process:
    command = ("activities_for_tests", "--host", address, "--task-list", rig.task_list, *arguments)
    return rig.process("pyflow_activity", *command, env=env)


def connected(rig: Rig, worker: Process) -> None:
    worker.line_with("Connected to the host")
    wait_for(rig.is_registered, "the registration of the activity types")


def test_socket_and_key_are_for_their_owner_alone(rig: Rig) -> None:
    rig.host()
    for path in (rig.path("h.sock"), rig.path("state") / "pyflow" / "host-token.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_plaintext_for_other_machines_is_refused(rig: Rig) -> None:
    for listen in ("0.0.0.0:0", "[::]:0"):
        host = rig.process("pyflow_host", "--domain", rig.domain, "--listen", listen)
        assert host.wait() == 2
        assert "can be reached from other machines" in host.output
        assert "--insecure" in host.output
        assert "Traceback" not in host.output
    insecure = rig.process("pyflow_host", "--domain", rig.domain, "--listen", "0.0.0.0:0", "--insecure")
    insecure.line_with("Activity host ready: 0.0.0.0:")


def test_tls(rig: Rig) -> None:
    address = address_of(rig.host(*TLS_HOST, listen="127.0.0.1:0"))
    plain = worker_at(rig, address, "--give-up-after", "0.5")
    assert plain.wait() == 1
    connected(rig, worker_at(rig, address, "--tls-ca", str(CERTIFICATES / "ca.pem")))
    assert works(rig)


def test_certificates_are_read_again_when_they_change(rig: Rig) -> None:
    cert, key, authority = (rig.path(name) for name in ("host.pem", "host.key", "ca.pem"))

    def put(name: str) -> None:
        for suffix, file in (("key", key), ("pem", cert)):
            fresh = file.with_suffix(".new")
            shutil.copy(CERTIFICATES / f"{name}.{suffix}", fresh)
            fresh.replace(file)

    put("host")
    shutil.copy(CERTIFICATES / "ca.pem", authority)
    options = ("--tls-cert", str(cert), "--tls-key", str(key), "--tls-client-ca", str(authority))
    host = rig.host(*options, listen="127.0.0.1:0")
    address = address_of(host)
    trust = ("--tls-ca", str(CERTIFICATES / "ca.pem"))
    own = ("--tls-cert", f"{CERTIFICATES}/worker.pem", "--tls-key", f"{CERTIFICATES}/worker.key")
    theirs = ("--tls-cert", f"{CERTIFICATES}/stranger.pem", "--tls-key", f"{CERTIFICATES}/stranger.key")
    connected(rig, worker_at(rig, address, *trust, *own))
    assert worker_at(rig, address, *trust, *theirs, "--give-up-after", "0.5").wait() == 1
    assert shown(address) == pem("host")

    key.write_bytes((CERTIFICATES / "worker.key").read_bytes())  # half of the change: nothing happens yet
    assert shown(address) == pem("host")
    host.line_with("the certificate in use is kept")
    put("worker")
    authority.write_text(pem("ca") + "\n" + pem("stranger") + "\n")
    assert shown(address) == pem("worker")
    worker_at(rig, address, *trust, *theirs).line_with("Connected to the host")
    assert works(rig), "who was there before is still served"


def shown(address: str) -> str:
    """The certificate that a new connection is shown."""
    host, _, port = address.rpartition(":")
    return ssl.get_server_certificate((host, int(port))).strip()


def pem(name: str) -> str:
    return (CERTIFICATES / f"{name}.pem").read_text().strip()


def test_mutual_tls(rig: Rig) -> None:
    authority = str(CERTIFICATES / "ca.pem")
    address = address_of(rig.host(*TLS_HOST, "--tls-client-ca", authority, listen="127.0.0.1:0"))
    for certificate in (
        (),
        ("--tls-cert", f"{CERTIFICATES}/stranger.pem", "--tls-key", f"{CERTIFICATES}/stranger.key"),
    ):
        refused = worker_at(rig, address, "--tls-ca", authority, *certificate, "--give-up-after", "0.5")
        assert refused.wait() == 1
    env = {
        "PYFLOW_HOST_TLS_CA": authority,
        "PYFLOW_HOST_TLS_CERT": f"{CERTIFICATES}/worker.pem",
        "PYFLOW_HOST_TLS_KEY": f"{CERTIFICATES}/worker.key",
    }
    connected(rig, worker_at(rig, address, env=env))
    assert works(rig)


def test_bearer_tokens_are_asked_for_and_rotated_without_a_restart(rig: Rig) -> None:
    tokens, mine = rig.path("tokens"), rig.path("mine")
    tokens.write_text("# of the tests\nfirst-token\n")
    mine.write_text("first-token\n")
    host = rig.host("--auth-token-file", str(tokens))
    for given in ((), ("--token-file", str(tokens))):
        refused = worker_at(rig, rig.address, *given)
        assert refused.wait() == 1
        assert "UNAUTHENTICATED" in refused.output
    connected(rig, worker_at(rig, rig.address, "--token-file", str(mine)))
    tokens.write_text("second-token\n")
    old = worker_at(rig, rig.address, "--token-file", str(mine))
    assert old.wait() == 1
    mine.write_text("second-token")
    connected(rig, worker_at(rig, rig.address, "--token-file", str(mine)))
    assert works(rig)
    with HostClient(rig.address) as client, pytest.raises(grpc.RpcError) as caught:
        client.complete("x" * 20)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    with HostClient(rig.address, token_file=mine) as client:
        assert client.complete("x" * 20) == "REFUSED"
    assert "first-token" not in host.output
    assert "second-token" not in host.output


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_payloads_and_tokens_are_not_logged(log_format: str, rig: Rig) -> None:
    tokens = rig.path("tokens")
    tokens.write_text("bearer-word\n")
    env = {"PYFLOW_LOG_FORMAT": log_format, "PYFLOW_HOST_TOKEN": "bearer-word"}
    host = rig.host("--auth-token-file", str(tokens), "--ping-interval", "0.2", env=env)
    worker = rig.worker(env=env)
    run = rig.run()
    inputs = [
        ("echo", {"value": "secret-result"}),
        ("refuses", {"n": 424242}),
        ("add", {"a": "secret-text"}),
        ("too_large", {"secret-key": 1}),
    ]
    for number, (activity, value) in enumerate(inputs):
        run.schedule(activity, json.dumps(value), id=f"activity{number}")
        run.end(number + 1)
    run.schedule("later", json.dumps({"path": str(rig.path("a"))}), id="activity8")
    wait_for(rig.path("a.begun").exists, "the activity")
    token = rig.path("a.token").read_text()
    with HostClient(rig.address, token_file=tokens) as client:
        client.progress(token, "secret-progress")
        assert client.complete(token, "secret-late") == "REPORTED"
        assert client.complete(token, "secret-again") == "DUPLICATE"
    run.schedule("hold", json.dumps({"path": str(rig.path("b")), "progress": "secret-told"}), id="activity9")
    wait_for(rig.path("b.begun").exists, "the activity")
    worker.kill()
    assert run.end(6)[1]["reason"] == "pyflow.WorkerLost"
    host.line_with("is reported as pyflow.WorkerLost")
    host.signal(signal.SIGTERM)
    for output in (host.output, worker.output):
        assert output
        for word in ("secret", "424242", "bearer-word", token[:30], repr(raw(token))[2:22]):
            assert word not in output


def raw(token: str) -> bytes:
    """The bytes of a token's text form."""
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def test_address_in_use(rig: Rig) -> None:
    rig.host()
    second = rig.process("pyflow_host", "--domain", rig.domain, "--listen", rig.address)
    assert second.wait() == 2
    assert "Another host listens on" in second.output
    port = address_of(rig.host(listen="127.0.0.1:0"))
    third = rig.process("pyflow_host", "--domain", rig.domain, "--listen", port)
    assert third.wait() == 2
    assert "Address already in use" in third.output
    assert works_after_all(rig)


def works_after_all(rig: Rig) -> bool:
    rig.worker()
    return works(rig)


def test_what_a_killed_host_left_is_no_hindrance_but_a_file_is(rig: Rig) -> None:
    rig.host().kill()
    assert rig.path("h.sock").exists()
    rig.host()
    rig.path("file").write_text("precious")
    wrong = rig.process("pyflow_host", "--domain", rig.domain, "--listen", f"unix:{rig.path('file')}")
    assert wrong.wait() == 2
    assert "is no socket" in wrong.output
    assert rig.path("file").read_text() == "precious"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--listen", "nonsense"), "neither unix:/path nor host:port"),
        (("--listen", "unix:/" + "x" * 120), "1 to 107 bytes"),
        (("--listen", "unix:/not/there/h.sock"), "Make it first"),
        (("--worker", "not-a-program --x"), "'not-a-program' is not found"),
        (("--worker", "unclosed 'quote"), "cannot be read"),
        (("--auth-token-file", "/not/there"), "/not/there cannot be read"),
        (("--token-key-file", "/proc/x/key"), "/proc/x/key cannot be used"),
        (("--tls-cert", "x.pem"), "go together"),
        (("--tls-client-ca", "x.pem"), "--tls-client-ca needs both"),
        (("--tls-cert", "/not/there", "--tls-key", "/not/there"), "The TLS file /not/there cannot be read"),
        (("--tls-cert", f"{CERTIFICATES}/worker.pem", "--tls-key", f"{CERTIFICATES}/host.key"), "belong together"),
        ((*TLS_HOST, "--tls-client-ca", f"{CERTIFICATES}/README.md"), "is no PEM certificate"),
        (("--ping-interval", "nan"), "must be a finite number"),
        (("--grace", "inf"), "must be a finite number"),
        (("--config", "/not/there.toml"), "cannot be read"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(
    arguments: tuple[str, ...],
    says: str,
    rig: Rig,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SWF", rig.endpoint)
    monkeypatch.setenv("XDG_STATE_HOME", str(rig.directory))
    assert main(["--domain", rig.domain, *arguments]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert len(told.strip().splitlines()) == 1


def test_keys_that_others_can_read_are_refused(rig: Rig) -> None:
    key = rig.path("key")
    rig.host("--token-key-file", str(key)).kill()
    os.chmod(key, 0o644)
    host = rig.process("pyflow_host", "--domain", rig.domain, "--listen", rig.address, "--token-key-file", str(key))
    assert host.wait() == 2
    assert f"chmod 600 {key}" in host.output


def test_worker_reports_only_what_it_was_given(rig: Rig) -> None:
    rig.host()
    rig.worker()
    run = rig.run()
    run.schedule("later", json.dumps({"path": str(rig.path("a"))}))
    wait_for(rig.path("a.begun").exists, "the activity")
    text = rig.path("a.token").read_text()
    token = raw(text)
    with RawWorker(rig.address) as thief:
        thief.hello("thief")
        assert thief.hear().HasField("welcome")
        thief.say(outcomes=[pb.Outcome(task_token=token, completed=pb.Completed())])
        ack = thief.hear().acks[0]
        assert ack.status == pb.ACK_STATUS_REFUSED
    with HostClient(rig.address) as client:
        assert client.complete(text, 1) == "REPORTED", "who holds the token may use it outside a stream"


def test_frame_over_the_limit(rig: Rig) -> None:
    rig.host()
    rig.worker()
    details = payload_pb2.Payload(data=b"x" * (5 << 20))
    with RawWorker(rig.address) as big:
        big.hello()
        big.hear()
        big.say(progress=[pb.Progress(task_token=b"t", details=details)])
        end = big.hear_end()
        assert isinstance(end, pb.GoAway)
        assert end.reason == pb.GO_AWAY_REASON_PROTOCOL_ERROR
    with RawWorker(rig.address) as bigger:
        bigger.hello()
        bigger.hear()
        bigger.say(progress=[pb.Progress(task_token=b"t", details=details)] * 3)
        end = bigger.hear_end()
        assert isinstance(end, grpc.Call)
        assert end.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert works(rig)


def test_flood_from_a_worker_that_does_not_read_leaves_the_host_small_and_others_served(rig: Rig) -> None:
    host = rig.host()
    rig.worker()
    assert works(rig)
    before = memory_mb(host.pid)
    channel = grpc.insecure_channel(rig.address)
    said = 0

    def flood() -> object:
        nonlocal said
        yield pb.WorkerFrame(hello=hello_of("flood"))
        refused = [pb.Outcome(task_token=os.urandom(3_000)) for _ in range(300)]
        while said < 400:
            said += 1
            yield pb.WorkerFrame(outcomes=refused)

    call = host_grpc.ActivityHostServiceStub(channel).Work(flood())  # type: ignore[no-untyped-call]
    for _ in range(5):
        assert works(rig), "others are served meanwhile"
    grown = memory_mb(host.pid) - before
    assert grown < 100, f"{grown} MB more"
    assert said < 400, "it is no longer read from"
    call.cancel()
    channel.close()


def hello_of(key: str) -> pb.Hello:
    kind = pb.ActivityType(name="raw", version="1.0")
    return pb.Hello(contract_version=1, worker_key=key, task_list="tl", activity_types=[kind])


def memory_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_random_and_mutated_frames_do_no_harm(rig: Rig) -> None:
    host = rig.host()
    rig.worker()
    source, codes = random.Random(20260101), set()
    channel = grpc.insecure_channel(rig.address)
    work = channel.stream_stream(f"/{SERVICE}/Work", request_serializer=bytes, response_deserializer=bytes)
    for number in range(FUZZ_STREAMS):
        frames = [pb.WorkerFrame(hello=hello_of(f"fuzz{number}")).SerializeToString()] if number % 3 else []
        frames += [any_frame(source) for _ in range(FUZZ_FRAMES)]
        call = work(iter(frames))
        try:
            for _ in call:
                pass
        except grpc.RpcError as error:
            codes.add(error.code())  # type: ignore[attr-defined]
    channel.close()
    assert grpc.StatusCode.UNKNOWN not in codes, "every end is a typed one"
    assert works(rig)
    assert "Traceback" not in host.output
    with grpc.insecure_channel(rig.address) as again:
        described = host_grpc.ActivityHostServiceStub(again).DescribeHost(host_pb.DescribeHostRequest())  # type: ignore[no-untyped-call]
    ledger = described.ledger
    assert ledger.tasks_lost == 0
    assert ledger.tasks_received + ledger.tasks_resumed == ledger.tasks_reported + ledger.tasks_gone + ledger.tasks_held


SERVICE = "pyflow_api.v1.ActivityHostService"


def any_frame(source: random.Random) -> bytes:
    """Bytes at random, or a frame of some sense with some bytes changed."""
    if source.random() < 0.2:
        return source.randbytes(source.randrange(200))
    token = source.randbytes(source.choice((0, 1, 40, 400)))
    payload = payload_pb2.Payload(data=source.randbytes(20), content_type=source.choice(("", "x/y")))
    frame = pb.WorkerFrame(
        outcomes=[pb.Outcome(task_token=token, completed=pb.Completed(result=payload)), pb.Outcome(task_token=token)],
        progress=[pb.Progress(task_token=token, details=payload)],
        credits=source.choice((0, 0, 1)),
        status=pb.Status(nonce=source.getrandbits(63), held=[pb.HeldTask(task_token=token, state=77)]),  # type: ignore[arg-type]
    )
    data = bytearray(frame.SerializeToString())
    for _ in range(source.choice((0, 0, 1, 3))):
        data[source.randrange(len(data))] = source.getrandbits(8)
    return bytes(data)
