// People on a background: buttons that glide to where they are, and what they say above them.
// All words are set as text, never as markup.
window.stage = (() => {
  const waiting = {};

  function place(layer, kind, key, make) {
    const id = kind + ":" + key;
    let found = layer.stageParts.get(id);
    if (!found) {
      found = make();
      found.stageId = id;
      layer.stageParts.set(id, found);
      layer.append(found);
    }
    found.stageSeen = true;
    return found;
  }

  function person(layer, one) {
    const button = place(layer, "person", one.name, () => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = "person";
      const dot = document.createElement("i");
      const label = document.createElement("span");
      label.textContent = one.short;
      made.append(dot, label);
      made.addEventListener("click", () => emitEvent("studio-pick", one.name));
      return made;
    });
    button.style.left = one.x + "%";
    button.style.top = one.y + "%";
    button.style.setProperty("--own", one.colour);
    button.title = one.title;
    button.setAttribute("aria-label", one.title);
    button.classList.toggle("still", !one.acts);
    button.classList.toggle("picked", !!one.picked);
  }

  function bubble(layer, one, index) {
    const box = place(layer, "bubble", index, () => {
      const made = document.createElement("div");
      made.className = "bubble";
      return made;
    });
    box.textContent = one.text;
    box.classList.toggle("below", !!one.past || one.y < 22);
    box.classList.toggle("past", !!one.past);
    const half = (50 * box.offsetWidth) / layer.clientWidth + 1; // so that no words leave the stage
    box.style.left = Math.min(100 - half, Math.max(half, one.x)) + "%";
    box.style.top = one.y + "%";
  }

  function draw(id, state) {
    const layer = document.getElementById(id);
    if (!layer) return false;
    layer.stageParts ??= new Map();
    for (const part of layer.stageParts.values()) part.stageSeen = false;
    state.people.forEach((one) => person(layer, one));
    state.bubbles.forEach((one, index) => bubble(layer, one, index));
    for (const part of [...layer.stageParts.values()])
      if (!part.stageSeen) {
        layer.stageParts.delete(part.stageId);
        part.remove();
      }
    return true;
  }

  function show(id, state, tries = 40) {
    waiting[id] = state;
    if (draw(id, state) || !tries) return;
    setTimeout(() => waiting[id] === state && show(id, state, tries - 1), 50);
  }

  return { show };
})();
