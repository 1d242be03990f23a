"use strict";
// No "less than" sign may stand here: installers read this page, some with simple parsers.
// Links of the project are text to installers: a page lists files only.
for (const place of document.querySelectorAll(".links .url")) {
  const link = document.createElement("a");
  link.href = link.textContent = place.textContent;
  link.rel = "noopener";
  place.replaceChildren(link);
}
for (const block of document.querySelectorAll(".command pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  block.after(button);
}
const system = navigator.userAgentData?.platform || navigator.platform || "";
const platforms = [[/win/i, /^(win|any)/], [/mac/i, /^(macosx|any)/], [/linux|x11/i, /^(manylinux|linux|any)/]];
const mine = platforms.find(([name]) => name.test(system))?.[1];
function graphics() {
  const context = document.createElement("canvas").getContext("webgl");
  const info = context?.getExtension("WEBGL_debug_renderer_info");
  return info ? String(context.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
}
const detect = document.createElement("button");
const found = document.createElement("p");
detect.type = "button";
detect.textContent = "Detect";
found.className = "note";
found.setAttribute("role", "status");
detect.addEventListener("click", () => {
  const renderer = graphics();
  const vendor = ["NVIDIA", "AMD", "Intel"].find(name => renderer.includes(name));
  const labels = [...document.querySelectorAll("#machines label")];
  const fitting = labels.filter(label => vendor && label.textContent.includes(vendor));
  (fitting[0] ?? labels[0]).querySelector("input").checked = true;
  const gpu = renderer ? `, ${renderer}` : "";
  found.textContent = `This browser reports ${system || "no system"}${gpu}. It does not report the driver or the CPU level.`;
  for (const cell of document.querySelectorAll("td[data-platform]"))
    cell.classList.toggle("mine", Boolean(mine?.test(cell.dataset.platform)));
});
document.querySelector("#machines")?.append(detect, found);
