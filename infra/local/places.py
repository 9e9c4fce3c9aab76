"""Where things are in this checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
BINARIES = ROOT / "target" / "debug"
LOCAL = ROOT / ".local"
