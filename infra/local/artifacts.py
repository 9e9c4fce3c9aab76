"""What a deployment uploads: one zip per domain, and the template."""

import hashlib
import json
import zipfile
from pathlib import Path

from places import BINARIES, LOCAL
from translate import DeployError

ZIPS = LOCAL / "zips"
BUCKET = "local-deployments"


class Bucket:
    """Where CloudFormation takes code and template from.

    Zips are named by the hash of their binary: only a changed `CodeUri` makes an update replace code.
    """

    def __init__(self, s3):
        self.s3 = s3
        self.addresses: dict[str, str] = {}
        s3.create_bucket(Bucket=BUCKET)

    def template_url(self, stack: str, template: dict) -> str:
        """The template's address: inline it may have 51,200 bytes, in a bucket a million."""
        key = f"{stack}.template.json"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(template).encode())
        return f"{self.s3.meta.endpoint_url}/{BUCKET}/{key}"

    def code_address(self, domain: str) -> str:
        """The address of the domain's zip, uploaded if this code is not there yet."""
        if domain not in self.addresses:
            path = _zipped(domain)
            if not self._has(path.name):
                self.s3.put_object(Bucket=BUCKET, Key=path.name, Body=path.read_bytes())
            self.addresses[domain] = f"s3://{BUCKET}/{path.name}"
        return self.addresses[domain]

    def _has(self, key: str) -> bool:
        return self.s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["KeyCount"] > 0


def _zipped(domain: str) -> Path:
    """The domain's binary as `bootstrap` in a zip, made again only when the binary has changed."""
    binary = BINARIES / domain
    if not binary.is_file():
        raise DeployError(f"the template has functions of the domain {domain}, but there is no binary {binary}")
    code = binary.read_bytes()
    path = ZIPS / f"{domain}-{hashlib.sha256(code).hexdigest()[:16]}.zip"
    if not path.exists():
        ZIPS.mkdir(parents=True, exist_ok=True)
        for outdated in ZIPS.glob(f"{domain}-*"):
            outdated.unlink()
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        unfinished = path.with_suffix(".part")
        with zipfile.ZipFile(unfinished, "w") as archive:
            archive.writestr(entry, code, zipfile.ZIP_DEFLATED, compresslevel=1)  # 4 times as fast as level 6
        unfinished.rename(path)
    return path
