"""The templates of the local stack: copied into its bucket as people copy theirs, and made known by a refresh."""

from pathlib import Path

from conversation import Platform

FOLDERS = ("templates", "org-templates")  # beside this file, and in the bucket


def upload(s3, bucket: str) -> int:
    """Copies the files into the bucket, over what is there; returns how many."""
    here = Path(__file__).parent
    files = [path for folder in FOLDERS for path in sorted((here / folder).rglob("*")) if path.is_file()]
    for path in files:
        s3.put_object(Bucket=bucket, Key=path.relative_to(here).as_posix(), Body=path.read_bytes())
    return len(files)


def refresh(base_url: str, admin_token: str) -> dict:
    """Has the platform read what lies in its bucket."""
    return Platform(base_url, admin_token).call("POST", "/templates/refresh", {})
