"""A time stamp authority on loopback that nobody here wrote: `openssl ts`, behind a small HTTP server."""

import contextlib
import datetime
import http.server
import shutil
import subprocess
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.judges import missing

CONFIG = """
[tsa]
serial = {folder}/serial
signer_cert = {folder}/tsa.crt
signer_key = {folder}/tsa.key
certs = {folder}/chain.crt
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = {ess}
"""


def require_openssl():
    """Skip, by name, where openssl is missing."""
    if shutil.which("openssl") is None:
        missing("openssl is not installed: apt-get install openssl")


def _certificate(name, key, issuer, issuer_key, *, days, authority):
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def lay_out(folder, *, kind="rsa", days=10, ess="sha256", digests="sha256, sha384, sha512"):
    """Keys, certificates (root, intermediate, authority) and configuration; the path of the root's certificate."""

    def new_key():
        if kind == "rsa":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return ec.generate_private_key(ec.SECP256R1())

    folder.mkdir(parents=True, exist_ok=True)
    root_key, middle_key, key = new_key(), new_key(), new_key()
    root = _certificate("Root", root_key, "Root", root_key, days=3650, authority=True)
    middle = _certificate("Middle", middle_key, "Root", root_key, days=3650, authority=True)
    leaf = _certificate("Time stamps", key, "Middle", middle_key, days=days, authority=False)
    (folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (folder / "chain.crt").write_bytes(middle.public_bytes(Encoding.PEM))
    (folder / "tsa.crt").write_bytes(leaf.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "tsa.key").write_bytes(private)
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder, ess=ess, digests=digests))
    return folder / "root.pem"


def reply(folder, query):
    """What `openssl ts` answers."""
    (folder / "query").write_bytes(query)
    command = ["openssl", "ts", "-reply", "-queryfile", str(folder / "query"), "-out", str(folder / "answer")]
    command += ["-config", str(folder / "tsa.cnf"), "-section", "tsa"]
    subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=folder)
    return (folder / "answer").read_bytes()


@contextlib.contextmanager
def serving(answer):
    """The address of a server that answers every query with `answer(query)`: bytes, or a number for an error."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            query = self.rfile.read(int(self.headers["Content-Length"]))
            made = answer(query)
            if isinstance(made, int):
                self.send_error(made)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(made)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsr"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def authority(folder, **options):
    """The address of a running authority and the path of the certificate that vouches for it."""
    require_openssl()
    root = lay_out(folder, **options)
    with serving(lambda query: reply(folder, query)) as address:
        yield address, root


def judged(folder, root, note, token):
    """Whether `openssl ts -verify` takes the token for the note."""
    (folder / "note").write_bytes(note)
    (folder / "token").write_bytes(token)
    command = ["openssl", "ts", "-verify", "-data", str(folder / "note"), "-in", str(folder / "token"), "-token_in"]
    command += ["-CAfile", str(root), "-untrusted", str(folder / "chain.crt")]
    return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0
