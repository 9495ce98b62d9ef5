// What an eye would notice: texts upon each other, texts that stick out, texts that can hardly be read.
(() => {
  const visible = (element) => {
    for (let it = element; it; it = it.parentElement) {
      const style = getComputedStyle(it);
      if (style.display === "none" || style.visibility !== "visible" || Number(style.opacity) === 0) return false;
    }
    return true;
  };
  const clipped = (rect, element) => {
    let { left, top, right, bottom } = rect;
    for (let it = element; it && it !== document.documentElement; it = it.parentElement) {
      const style = getComputedStyle(it);
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      const box = it.getBoundingClientRect();
      [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
      [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
    }
    return { left, top, right, bottom };
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE"].includes(element.tagName) || !visible(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const line of range.getClientRects()) {
      const rect = clipped(line, element);
      if (rect.right - rect.left > 1 && rect.bottom - rect.top > 1) texts.push({ ...rect, node, element });
    }
  }

  const overlaps = [];
  texts.sort((a, b) => a.top - b.top);
  texts.forEach((one, at) => {
    const size = parseFloat(getComputedStyle(one.element).fontSize);
    for (let next = at + 1; next < texts.length && texts[next].top < one.bottom; next += 1) {
      const other = texts[next];
      if (other.node === one.node) continue;
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      // A line's box is higher than its letters: neighbours share some of the leading, and nothing of the letters.
      if (wide > 2 && high > 0.35 * size) {
        overlaps.push(`${one.node.data.trim().slice(0, 40)} | ${other.node.data.trim().slice(0, 40)}`);
      }
    }
  });

  const wider = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const outside = texts.filter((it) => it.right > innerWidth + 1 || it.left < -1).map((it) => it.node.data.trim().slice(0, 40));

  const channels = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((it) => (it / 255 <= 0.03928 ? it / 255 / 12.92 : ((it / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let it = element; it; it = it.parentElement) {
      const colour = channels(getComputedStyle(it).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.5) return colour;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  };
  const faint = new Set();
  for (const { element, node } of texts) {
    if (element.namespaceURI.endsWith("svg")) continue; // what is behind a drawing's text is a shape, not its parent
    const style = getComputedStyle(element);
    const [a, b] = [luminance(channels(style.color)), luminance(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (large ? 3 : 4.5)) faint.add(`${contrast.toFixed(2)}: ${node.data.trim().slice(0, 40)}`);
  }
  const background = channels(getComputedStyle(document.body).backgroundColor);
  return {
    texts: texts.length, overlaps: overlaps.slice(0, 20), wider, outside: outside.slice(0, 20), faint: [...faint].slice(0, 20),
    dark: luminance(behind(document.body)) < 0.2, language: document.documentElement.lang, title: document.title,
    painted: background.length === 3 || background[3] > 0.5,
  };
})()
