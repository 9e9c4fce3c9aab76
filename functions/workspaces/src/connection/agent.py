# A whole agent: registers, sends a heartbeat every 30 s, and echoes what it is told.
# Needs nothing but Python. Paste the token from "auth_token", then run it with AGENT_URL set to where it answers.
import json, os, threading, time, uuid
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import Request, urlopen

PLATFORM, WORKSPACE = "{{platform}}", "{{id}}"
AUTH_TOKEN    = "<paste from create response>"
URL = os.environ["AGENT_URL"]    # how the platform reaches this process


def call(path, body):
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {AUTH_TOKEN}"}
    with urlopen(Request(PLATFORM + path, json.dumps(body).encode(), headers), timeout=10) as answer:
        return json.load(answer)


def beat():
    started = time.time()
    while True:
        try:
            call("/registry/heartbeat", {"workspace_id": WORKSPACE, "uptime_seconds": int(time.time() - started)})
        except OSError as error:
            print("heartbeat:", error)
        time.sleep(30)


class Agent(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        parts = asked["params"]["message"]["parts"]
        text = "Echo: " + " ".join(part.get("text", "") for part in parts)
        message = {"kind": "message", "role": "agent", "messageId": str(uuid.uuid4()),
                   "parts": [{"kind": "text", "text": text}]}
        answer = json.dumps({"jsonrpc": "2.0", "id": asked.get("id"), "result": message}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


server = HTTPServer(("0.0.0.0", int(os.environ.get("PORT", "8000"))), Agent)
card = {"name": "My agent", "description": "Runs on my own host", "version": "1.0.0"}
call("/registry/register", {"id": WORKSPACE, "url": URL, "agent_card": card})
threading.Thread(target=beat, daemon=True).start()
server.serve_forever()
