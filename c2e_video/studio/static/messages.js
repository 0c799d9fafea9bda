// Lines that come and go.

const SECONDS = 6;

export function say(line, error = false) {
  const box = document.getElementById("messages");
  const last = box.lastElementChild;
  if (last?.textContent === line) last.remove();
  const message = document.createElement("div");
  message.className = error ? "message error" : "message";
  message.textContent = line;
  box.append(message);
  while (box.children.length > 3) box.firstElementChild.remove();
  setTimeout(() => message.remove(), SECONDS * 1000 * (error ? 2 : 1));
}
