// Sends the files of the form with a bar that shows how far they are, and lets
// them be dropped on the field. Without it the form works as a plain form.
function dress(form) {
  const input = form.querySelector("input[type=file]");
  const part = (name) => form.querySelector(`[data-${name}]`);

  function showChosen() {
    const list = part("chosen");
    list.replaceChildren(...[...input.files].map((f) => {
      const li = document.createElement("li");
      li.textContent = `${f.name} (${Math.max(1, Math.round(f.size / 1024)).toLocaleString("vi-VN")} KB)`;
      return li;
    }));
    list.hidden = input.files.length === 0;
  }

  function listenToDrops(target) {
    const over = (yes) => (e) => {
      e.preventDefault();
      target.classList.toggle("over", yes);
    };
    target.addEventListener("dragenter", over(true));
    target.addEventListener("dragover", over(true));
    target.addEventListener("dragleave", over(false));
    target.addEventListener("drop", (e) => {
      over(false)(e);
      if (e.dataTransfer.files.length > 0) {
        input.files = e.dataTransfer.files;
        showChosen();
      }
    });
  }

  function showPercent(percent) {
    part("progress").querySelector("progress").value = percent;
    const value = part("progress").querySelector(".progress-value");
    if (value) value.textContent = `${percent}%`;
  }

  function send(e) {
    e.preventDefault();
    const action = new URL(form.getAttribute("action"), location.href).href;
    const button = form.querySelector("button[type=submit]");
    const busy = (yes) => {
      part("progress").hidden = !yes;
      button.disabled = yes;
    };
    const broken = () => {
      part("alert").textContent = form.dataset.broken;
      part("alert").hidden = false;
      busy(false);
    };
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (p) => {
      if (p.lengthComputable) showPercent(Math.floor((p.loaded * 100) / p.total));
    });
    request.addEventListener("load", () => {
      if (request.status === 200 && request.responseURL !== action) {
        location.assign(request.responseURL);
        return;
      }
      // Else the answer is this page again, with what went wrong: show it in place.
      const main = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("main");
      if (!main?.querySelector("form[data-upload]")) {
        broken();
        return;
      }
      document.querySelector("main").replaceWith(main);
      dress(main.querySelector("form[data-upload]"));
    });
    request.addEventListener("error", broken);
    request.addEventListener("abort", broken);
    part("alert").hidden = true;
    busy(true);
    request.open("POST", action);
    request.setRequestHeader("Accept", "text/html");
    request.send(new FormData(form));
  }

  input.addEventListener("change", showChosen);
  form.addEventListener("submit", send);
  const target = form.querySelector("[data-drop]");
  if (target) listenToDrops(target);
}

const form = document.querySelector("form[data-upload]");
if (form) dress(form);
