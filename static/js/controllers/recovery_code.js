/* The buttons that copy, download or print the recovery code. The code leaves the page in no other way. */
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
    return "Your browser doesn't allow copying from here. The code is selected: copy it by hand.";
  }
}

export default function attach(container, signal) {
  const element = container.querySelector("[data-recovery-code]");
  const code = element.textContent.trim().replace(/\s+/g, " ");
  const onClick = (name, act) =>
    container.querySelector(`[data-${name}]`).addEventListener("click", async () => {
      container.querySelector("[data-code-status]").textContent = (await act()) ?? "";
    }, { signal });
  onClick("copy", () => copy(code, element));
  onClick("download", () => (download(code), "Saved in your downloads. Move it to a safe place."));
  onClick("print", () => window.print());
  container.querySelector("[data-code-buttons]").hidden = false;
}
