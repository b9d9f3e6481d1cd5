// Waits until the server says that a task has ended, and has its part of the page drawn again. If the connection is
// lost, nothing is: the page looks for itself every second or two. What begins before people's eyes is brought there.

const sockets = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (!sockets.has(parentElement)) {
    const socket = new WebSocket(location.origin.replace("http", "ws") + data.path);
    socket.onmessage = () => setTriggerValue("ended", true);
    sockets.set(parentElement, socket);
    if (data.begins) (parentElement.host ?? parentElement).scrollIntoView({ block: "center", behavior: "smooth" });
  }
  return () => {
    sockets.get(parentElement)?.close();
    sockets.delete(parentElement);
  };
}
