// What a page is better with and does not need: the reader's time zone, files that are dropped, a key to copy.
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
})();
