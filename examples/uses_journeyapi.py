"""Enlarge pictures with JourneyAPI: order them, be woken by its webhooks, and print where the results are."""

import os
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from journey import JourneyClient, JourneyError, TaskStatus

SECRET, woken = secrets.token_hex(), threading.Event()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(204 if self.headers["x-webhook-secret"] == SECRET else 403)
        self.end_headers()
        woken.set()  # only a hint, which may come twice or never: what has happened is asked for below


receiver = HTTPServer(("127.0.0.1", int(os.environ.get("RECEIVER_PORT", "0"))), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()
hook = os.environ.get("RECEIVER_URL", f"http://127.0.0.1:{receiver.server_port}/")
try:
    with JourneyClient(os.environ["JOURNEY_API_KEY"], os.environ["JOURNEY_API_URL"], attempts=5) as api:
        order = {"type": "2x", "webhook_url": hook, "webhook_secret": SECRET}
        waiting = [api.upscale(image_url=url, **order) for url in sys.argv[1:]]
        while waiting:
            woken.wait(5)
            woken.clear()
            found = {task.task_id: task for task in api.fetch_many(waiting)}
            for task in [found.get(each) or api.fetch(each) for each in waiting]:  # /fetch-many may leave one out
                if task.status in (TaskStatus.FINISHED, TaskStatus.FAILED):
                    waiting.remove(task.task_id)
                    print(task.task_id, "->", task.image_url or task.error, flush=True)
except JourneyError as error:
    sys.exit(f"{type(error).__name__}: {error}")
