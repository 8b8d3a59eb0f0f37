// What a page is better with and does not need: the reader's time zone, files that are dropped, a key to copy; and
// manners for the parts that follow by themselves.
(() => {
  "use strict";
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && /^[A-Za-z0-9_+\-/]+$/.test(zone)) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `carillon_zone=${zone}; Path=/console; SameSite=Lax; Max-Age=31536000${secure}`;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    field.select();
    if (navigator.clipboard) navigator.clipboard.writeText(field.value);
    button.lastChild.textContent = "Copied";
  });

  const named = (input) => {
    const said = document.querySelector("[data-file-name]");
    if (said && input.files.length) said.textContent = input.files[0].name;
  };
  document.addEventListener("change", (event) => {
    if (event.target.type === "file") named(event.target);
  });
  for (const drop of document.querySelectorAll("[data-drop]")) {
    const input = document.getElementById(drop.htmlFor);
    for (const kind of ["dragenter", "dragover"]) {
      drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
    }
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  // ---- parts that follow by themselves ----

  const follows = (part) => (part.getAttribute("hx-trigger") || "").startsWith("every");
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    // A connection that hangs must not end the following; a slow one is waited for.
    if (detail.verb === "get") detail.timeout = 60000;
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    // Somebody is about to decide something there: it stands still until he has.
    if (follows(event.target) && event.target.querySelector("details.confirm[open]")) event.preventDefault();
  });

  // The focus stays where it was; whoever asked for more rows is led to the first of them.
  const STOPS = "a[href], button, summary, input, select, textarea";
  let place = -1;
  let rows = -1;
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const asked = detail.requestConfig.elt;
    place = follows(asked) ? [...asked.querySelectorAll(STOPS)].indexOf(document.activeElement) : -1;
    rows = asked.rel === "next" && asked === document.activeElement ? detail.target.children.length : -1;
  });
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    const part = document.getElementById(detail.target.id);
    if (!part || (document.activeElement && document.activeElement !== document.body)) return;
    const stop = rows >= 0 ? part.children[rows]?.querySelector("a[href]") : part.querySelectorAll(STOPS)[place];
    if (stop) stop.focus({ preventScroll: rows < 0 });
  });

  // What did not get through is said, in words of the page's, until something does.
  const lost = document.getElementById("lost");
  const say = (text) => {
    if (!lost || lost.textContent === text) return;
    lost.replaceChildren();
    if (!text) return;
    const note = document.createElement("p");
    note.className = "strip doubt";
    note.textContent = text;
    lost.append(note);
  };
  const failed = ({ detail }) => {
    if (lost) say(detail.requestConfig.verb === "get" ? lost.dataset.again : lost.dataset.once);
  };
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:timeout", failed);
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (xhr.status >= 500 || requestConfig.verb === "get") return failed(event);
    // A refusal is a page of its own: its sentence.
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const said = page.querySelector("[role=alert]");
    say(said ? said.textContent.trim() : lost.dataset.once);
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.successful) say("");
  });
})();
