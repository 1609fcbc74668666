// What a page does by itself: it forgets what it shows. Everything else is links and forms.

const idle = Number(document.body.dataset.idleSeconds);

function clear() {
  document.body.replaceChildren();
  location.replace("/");
}

// The session on the server ends after the same time without a request.
if (idle > 0) {
  setTimeout(clear, idle * 1000);
}

// A page that the browser kept when it was left must ask again before it shows anything.
addEventListener("pagehide", () => document.body.classList.add("left"));
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
