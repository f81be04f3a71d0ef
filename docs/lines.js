// A line of code that is too long goes on below, further in and with a mark: book.css needs
// each line as an element of its own for that.

function linesOf(node) {
  if (node.nodeType === Node.TEXT_NODE) {
    return node.data.split("\n").map((text) => [document.createTextNode(text)]);
  }
  const lines = [[]];
  for (const child of node.childNodes) {
    const [first, ...others] = linesOf(child);
    lines[lines.length - 1].push(...first);
    lines.push(...others);
  }
  if (node.tagName === "CODE") return lines;
  // Colours that go over several lines are begun anew on each.
  return lines.map((line) => {
    const part = node.cloneNode(false);
    part.append(...line);
    return [part];
  });
}

for (const code of document.querySelectorAll("main pre > code:not(.editable)")) {
  const lines = linesOf(code);
  const last = lines[lines.length - 1];
  if (last.every((part) => part.textContent === "")) lines.pop();
  code.replaceChildren(
    ...lines.map((line) => {
      const span = document.createElement("span");
      span.className = "line";
      span.append(...line, "\n");
      return span;
    }),
  );
}

// A difference has the colours of its language, which mdBook gives to whole blocks only, and
// marks for what has changed within a line.

const SIGN = { "+": "added", "-": "removed" };

for (const code of document.querySelectorAll("main pre > code.language-diff")) {
  const lines = [...code.querySelectorAll(".line")];
  for (const line of lines) {
    const sign = line.textContent[0];
    if (SIGN[sign]) line.classList.add(SIGN[sign]);
    if (window.hljs?.getLanguage("rust") && (SIGN[sign] || sign === " ")) {
      line.innerHTML = sign + hljs.highlight("rust", line.textContent.slice(1), true).value;
    }
  }
  // Where as many lines came as went, each stands for the one in its place.
  const run = (from, sign) => {
    let to = from;
    while (lines[to]?.textContent[0] === sign) to++;
    return lines.slice(from, to);
  };
  for (let at = 0; at < lines.length; ) {
    const removed = run(at, "-");
    const added = run(at + removed.length, "+");
    if (removed.length === added.length) {
      removed.forEach((line, n) => markWords(line, added[n]));
    }
    at += Math.max(removed.length + added.length, 1);
  }
}

// Marks the words between those that two lines begin and end with, unless most differ.
function markWords(...lines) {
  if (!window.Highlight) return;
  const words = lines.map((line) => line.textContent.slice(1).match(/\w+|\s+|[^\w\s]/g) ?? []);
  const shortest = Math.min(words[0].length, words[1].length);
  let before = 0;
  while (before < shortest && words[0][before] === words[1][before]) before++;
  let behind = 0;
  while (
    behind < shortest - before &&
    words[0][words[0].length - 1 - behind] === words[1][words[1].length - 1 - behind]
  )
    behind++;
  if (before + behind < shortest / 2) return;
  const length = (some) => some.join("").length;
  lines.forEach((line, n) => {
    const from = 1 + length(words[n].slice(0, before));
    const to = from + length(words[n].slice(before, words[n].length - behind));
    const mark = CSS.highlights.get("changed") ?? new Highlight();
    CSS.highlights.set("changed", mark.add(rangeOf(line, from, to)));
  });
}

// Characters of a line, in whatever elements they are.
function rangeOf(line, from, to) {
  const range = document.createRange();
  const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  let passed = 0;
  while (texts.nextNode()) {
    const { currentNode: text } = texts;
    const holds = (at) => passed <= at && at <= passed + text.length;
    if (holds(from)) range.setStart(text, from - passed);
    if (holds(to)) {
      range.setEnd(text, to - passed);
      break;
    }
    passed += text.length;
  }
  return range;
}
