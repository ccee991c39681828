(() => {
  // What is laid out only when it is scrolled to is laid out now.
  for (const it of document.querySelectorAll(".credential")) it.style.contentVisibility = "visible";
  const shown = (it) => it.getClientRects().length > 0 && getComputedStyle(it).visibility !== "hidden";
  const named = (it) => `${it.tagName.toLowerCase()}.${it.getAttribute("class") || ""} ${(it.textContent || "").trim().slice(0, 60)}`;

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const behind = (it) => {
    for (let at = it; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgb(matchMedia("(prefers-color-scheme: dark)").matches ? "#000" : "#fff");
  };
  const light = ([r, g, b]) => {
    const part = (value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const contrast = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };

  const faint = [];
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const it = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || ["STYLE", "SCRIPT", "title"].includes(it.tagName) || !shown(it)) continue;
    texts += 1;
    const style = getComputedStyle(it);
    const colour = rgb(it instanceof SVGElement ? style.fill : style.color);
    const ratio = contrast(colour, behind(it));
    if (ratio < 4.5) faint.push(`${named(it)}: ${ratio.toFixed(2)}`);
  }

  const wide = document.documentElement.clientWidth;
  const overflowing = [];
  for (const it of document.body.querySelectorAll("*")) {
    if (it.closest("svg") && it.tagName !== "svg") continue;
    const box = it.getBoundingClientRect();
    if (shown(it) && (box.right > wide + 1 || box.left < -1)) overflowing.push(`${named(it)}: ${Math.round(box.left)} to ${Math.round(box.right)}`);
    // Text that runs out of its own box.
    if (shown(it) && it.scrollWidth > it.clientWidth + 1 && it.clientWidth > 0 && getComputedStyle(it).display !== "inline" && it.tagName !== "THEAD" && !it.closest("thead")) {
      overflowing.push(`${named(it)}: ${it.scrollWidth} in ${it.clientWidth}`);
    }
  }
  if (document.documentElement.scrollWidth > wide) overflowing.push(`the page: ${document.documentElement.scrollWidth} in ${wide}`);

  const levels = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((it) => [Number(it.tagName[1]), it]);
  const headings = levels.filter(([level], at) => at > 0 && level > levels[at - 1][0] + 1).map(([, it]) => named(it));

  const handlers = [];
  for (const it of document.querySelectorAll("*")) {
    for (const { name } of it.attributes) if (name.startsWith("on")) handlers.push(`${named(it)}: ${name}`);
  }
  const inside = [...document.querySelectorAll('a[href^="#"]')];
  const dead = inside.filter((it) => !document.getElementById(it.getAttribute("href").slice(1))).map(named);

  return {
    title: document.title,
    language: document.documentElement.lang,
    background: getComputedStyle(document.body).backgroundColor,
    text: document.body.innerText,
    texts,
    faint,
    overflowing,
    headings,
    first: document.querySelectorAll("h1").length,
    scripts: document.scripts.length,
    fetched: performance.getEntriesByType("resource").map((it) => it.name),
    handlers,
    dead,
  };
})()
