/* Copy, download or print the recovery code: the only moments it leaves this page. */
function download(code) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`Llamora recovery code\n\n${code}\n`], { type: "text/plain" }));
  link.download = "llamora-recovery-code.txt";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function copy(code, element) {
  try {
    await navigator.clipboard.writeText(code);
    return "Copied.";
  } catch {
    getSelection().selectAllChildren(element);
    return "Your browser does not allow copying from here. The code is selected: copy it by hand.";
  }
}

export default function attach(place, signal) {
  const element = place.querySelector("[data-recovery-code]");
  const code = element.textContent.trim().replace(/\s+/g, " ");
  const on = (name, act) =>
    place.querySelector(`[data-${name}]`).addEventListener("click", async () => {
      place.querySelector("[data-done]").textContent = (await act()) ?? "";
    }, { signal });
  on("copy", () => copy(code, element));
  on("download", () => (download(code), "Saved among your downloads. Move it to a safe place."));
  on("print", () => window.print());
  place.querySelector("[data-buttons]").hidden = false;
}
