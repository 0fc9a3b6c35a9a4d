// Keeps the progress of the tour current. Without it the link "Tải lại" does the same.
const box = document.getElementById("tien-do");
const bar = box?.querySelector("progress");
const text = box?.querySelector("[data-text]");
const reload = box?.querySelector("[data-reload]");

async function look() {
  const answer = await fetch("/tien-do", { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const now = await answer.json();
  if (now.finished || String(now.ready) !== box.dataset.ready) {
    location.reload(); // more can be tried than this page shows
    return;
  }
  bar.value = now.percent;
  if (text.textContent !== now.text) text.textContent = now.text;
  setTimeout(tick, 2000);
}

function tick() {
  if (document.hidden) {
    setTimeout(tick, 2000);
    return;
  }
  look().catch(() => setTimeout(tick, 10000)); // the server is starting again
}

if (bar && text && box.dataset.finished !== "true") {
  if (reload) reload.hidden = true;
  setTimeout(tick, 1000);
}
