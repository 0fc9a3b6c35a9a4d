// Follows a file that is being processed, and shows the page anew when it is done.
const box = document.querySelector("[data-waiting]");

async function follow(wait) {
  await new Promise((done) => setTimeout(done, wait));
  if (document.hidden) return follow(wait);
  try {
    const answer = await fetch(box.dataset.waiting, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { state, percent } = await answer.json();
    box.querySelector("progress").value = percent;
    const value = box.querySelector(".progress-value");
    if (value) value.textContent = `${percent}%`;
    if (state !== "waiting") {
      location.reload();
      return;
    }
  } catch {
    // The network is away for a moment: ask again later.
  }
  return follow(Math.min(wait * 1.5, 15000));
}

if (box) follow(1000);
