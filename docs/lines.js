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
