// What has happened, played: the page is told it as it happens, a chapter of the book has it
// in a file. Everything that is shown comes from these events alone.
"use strict";
(() => {
const FLIGHT = 640; // milliseconds of a segment from one end to the other
const WHO = ["client1", "client2", "peer"];
const NAMES = { client1: "client 1", client2: "client 2", peer: "somebody else", server: "server" };
// How long the picture waits at least before an event, and at most.
const LEAST = { passed: 340, process: 260, verdict: 300, note: 120, printed: 120, log: 80, crowd: 60 };
const MOST = 1200;
const KEPT = 4000;
const STATES = {
  ESTABLISHED: "nl-up", CONNECTED: "nl-up", LISTEN: "nl-waits", BOUND: "nl-waits",
};

function element(tag, values = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(values)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    // A style as an attribute is not allowed here; this is no attribute.
    else if (name === "row") made.style.setProperty("--i", value);
    else if (name === "text") made.textContent = value;
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function bytesOf(hex) {
  return Uint8Array.from(hex.match(/../g) || [], (two) => parseInt(two, 16));
}

// The text that starts here, one character: how many bytes it has, or 0.
function letter(bytes, at) {
  const first = bytes[at];
  if (first === 10 || first === 13 || (first >= 32 && first < 127)) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  const rest = bytes.slice(at + 1, at + length);
  return length && rest.length === length - 1 && rest.every((byte) => byte >> 6 === 2) ? length : 0;
}

// Text as text, other bytes as numbers: 00 00 00 05 hello.
function words(segment, most) {
  const bytes = bytesOf(segment.bytes);
  const runs = []; // text or numbers in turn
  const add = (kind, start, end) => {
    const last = runs[runs.length - 1];
    if (last?.kind === kind) last.end = end;
    else runs.push({ kind, start, end });
  };
  const text = (run) => new TextDecoder().decode(bytes.slice(run.start, run.end)).replace(/\r?\n|\r/g, "⏎");
  for (let at = 0; at < bytes.length;) {
    let end = at;
    while (end < bytes.length && letter(bytes, end)) end += letter(bytes, end);
    // Letters between numbers are some by chance.
    const whole = end - at === bytes.length;
    if (end > at && (whole || text({ start: at, end }).length > 2)) add("text", at, end);
    else add("hex", at, Math.max(end, at + 1));
    at = Math.max(end, at + 1);
  }
  // Where nearly all is numbers, as in what is encrypted, so are the letters.
  const letters = runs.filter((run) => run.kind === "text").reduce((sum, run) => sum + run.end - run.start, 0);
  if (letters * 10 < bytes.length * 3) runs.splice(0, runs.length, { kind: "hex", start: 0, end: bytes.length });
  const hex = (run) => [...bytes.slice(run.start, run.end)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const write = (number) => runs.map((run) => (run.kind === "text" ? text(run) : number(run))).join(" ");
  let plain = write(hex);
  // Where there is little room, many numbers give way to text.
  if (plain.length > most && runs.some((run) => run.kind === "text")) {
    plain = write((run) => (run.end - run.start > 4 ? "··" : hex(run)));
  }
  return [...plain].length > most ? [...plain].slice(0, most).join("") + "…" : plain;
}

function hexdump(segment) {
  const bytes = [...bytesOf(segment.bytes)];
  const lines = [];
  for (let at = 0; at < bytes.length; at += 8) {
    const row = bytes.slice(at, at + 8);
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ").padEnd(23);
    const ascii = row.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : ".")).join("");
    lines.push(at.toString(16).padStart(4, "0") + " " + hex + " " + ascii);
  }
  if (segment.length > bytes.length) lines.push(`… ${segment.length - bytes.length} bytes more`);
  return lines.join("\n");
}

const FATES = {
  delivered: "", repeated: " once more", lost: " and it is lost",
  ended: "", reset: "", cut: "",
};

function told(event, carrier) {
  const who = NAMES[event.who];
  switch (event.what) {
    case "passed": {
      const [from, to] = event.way === "there" ? [who, "the server"] : ["the server", who];
      if (event.fate === "ended") {
        return `${from} has nothing more to say to ${to}${carrier === "tcp" ? " (FIN)" : ""}`;
      }
      if (event.fate === "reset") return `${from} breaks off${carrier === "tcp" ? " (RST)" : ""}`;
      if (event.fate === "cut") return "the network cuts the connection";
      return `${from} to ${to}: ${event.length} bytes${FATES[event.fate]}: ${words(event, 48)}`;
    }
    case "process": {
      if (event.stage === "started") return `${who} starts: ${event.text}`;
      if (event.stage === "ready") return `${who} is ready: ${event.text}`;
      return `${who} has ended: ${event.text}`;
    }
    case "log": return event.text;
    case "printed": return `prints ${event.text}`;
    case "note": return event.text;
    case "missed": return `${event.number} more that were too fast to be shown`;
    case "verdict": return `${event.fault}: ${event.text}`;
    case "crowd": return event.here
      ? `a crowd: ${event.came} of ${event.asked} are here${event.refused ? `, ${event.refused} were refused` : ""}`
      : `the crowd of ${event.came} has left`;
    case "network": return `the network: loss ${event.loss} %, delay ${event.delay} ms, reorder ${event.reorder} %`;
    default: return "";
  }
}

class Player {
  constructor(root) {
    root.classList.add("nl-player");
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", "What passes between the clients and the server");
    this.stage = element("div", { class: "nl-stage" });
    this.boxes = {};
    this.lanes = {};
    WHO.forEach((who, i) => {
      this.boxes[who] = this.box(who, "nl-client", i);
      this.lanes[who] = element("div", { class: "nl-lane", row: i, "aria-hidden": "true" },
        element("span", { class: "nl-word" }));
      this.stage.append(this.boxes[who].root, this.lanes[who]);
    });
    this.boxes.server = this.box("server", "nl-server", 0);
    this.load = element("div");
    this.boxes.server.root.append(this.load);
    this.crowd = element("div", { class: "nl-box nl-crowd", hidden: true });
    this.crowdLane = element("div", { class: "nl-lane nl-crowd-lane", row: 3, hidden: true },
      element("span", { class: "nl-word", text: "straight to the server" }));
    this.stage.append(this.boxes.server.root, this.crowd, this.crowdLane);
    this.now = element("p", { class: "nl-now", role: "status" });
    // What the page has to say itself, in place of what happens.
    this.said = "";
    this.verdict = element("p", { class: "nl-verdict", role: "status", hidden: true });
    const button = (text, label, act) =>
      element("button", { type: "button", text, "aria-label": label, title: label, onclick: act });
    this.playing = button("❚❚", "Pause", () => this.toggle());
    this.slider = element("input", {
      type: "range", min: 0, max: 0, value: 0, step: 10, "aria-label": "Timeline",
      oninput: () => { this.pause(); this.seek(Number(this.slider.value)); },
    });
    // To the end means: along with what is new.
    this.slider.addEventListener("keydown", (event) => {
      if (event.key === "End") { event.preventDefault(); this.follow(); }
    });
    this.clock = element("output", {});
    this.speed = element("select", { "aria-label": "Speed" },
      ...[["0.25", "¼"], ["1", "1"], ["4", "4"]].map(([value, text]) =>
        element("option", { value, text: text + "×", selected: value === "1" })));
    this.live = button("To the end", "To what is new", () => this.follow());
    const bar = element("div", { class: "nl-bar" },
      button("|◀", "To the beginning", () => { this.pause(); this.seek(0); }),
      button("◂", "Back by one event", () => this.step(-1)), this.playing,
      button("▸", "On by one event", () => this.step(1)), this.live, this.slider, this.clock, this.speed);
    this.log = element("ol", { class: "nl-log", tabindex: 0, "aria-label": "Both logs: clients left, server right" });
    this.bytes = element("div", { class: "nl-bytes", tabindex: 0, "aria-label": "The bytes that passed last", role: "group" },
      element("p"), element("pre"));
    root.append(this.stage, this.now, this.verdict, bar,
      element("div", { class: "nl-below" }, this.log, this.bytes));
    this.reset();
    const frame = (time) => { this.tick(time); requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
  }

  box(who, kind, i) {
    const state = element("p", { text: "not there" });
    const sockets = element("ul", { class: "nl-sockets" });
    const root = element("section", { class: `nl-box ${kind} nl-gone`, row: i, "data-who": who },
      element("h3", { text: NAMES[who] }), state, sockets);
    return { root, state, sockets };
  }

  reset() {
    this.events = []; // each with `at`, its time in the picture
    this.pos = 0;
    this.next = 0; // the first event that has not been shown
    this.isPlaying = true;
    this.following = true;
    this.log.replaceChildren();
    this.pieces?.forEach((piece) => piece.element.remove());
    this.pieces = [];
    this.clear();
  }

  clear() {
    this.state = { processes: {}, sockets: null, load: null, crowd: null, network: null,
      last: null, word: null, verdict: null, peer: false };
    this.dirty = true;
  }

  get end() {
    const last = this.events[this.events.length - 1];
    return last ? last.at + FLIGHT : 0;
  }

  add(event) {
    const last = this.events[this.events.length - 1];
    if (event.what === "session") this.carrier = event.carrier;
    event.at = last ? last.at + this.gap(last, event) : 0;
    this.events.push(event);
    const line = this.line(event);
    if (line) {
      event.line = line;
      this.log.append(line);
    }
    if (event.what === "passed") this.pieces.push(this.piece(event));
    if (this.events.length > KEPT) {
      // The first one says what plays.
      const [gone] = this.events.splice(1, 1);
      gone.line?.remove();
      if (this.next > 1) this.next -= 1;
      if (gone.piece) {
        gone.piece.element.remove();
        this.pieces.splice(this.pieces.indexOf(gone.piece), 1);
      }
    }
    this.dirty = true;
  }

  gap(last, event) {
    const real = Math.max(0, (event.t - last.t) / 1000);
    // Where very much happens, the picture keeps up with it.
    const before = this.events[this.events.length - 12];
    const dense = before && event.t - before.t < 500000 && event.what !== "process";
    let least = LEAST[event.what] ?? 30;
    const passes = (one) => one.what === "passed";
    if (passes(event) && passes(last) && event.way !== last.way && event.who === last.who) least = FLIGHT + 40;
    if (passes(last) && !passes(event)) least = FLIGHT / 2;
    return Math.min(MOST, Math.max(real, dense ? Math.min(least, passes(event) ? 90 : 20) : least));
  }

  line(event) {
    const text = told(event, this.carrier);
    if (!text) return null;
    const right = event.who === "server" || (event.what === "passed" && event.way === "back");
    const middle = !event.who;
    const kind = event.level === "warn" ? "nl-warn" : event.level === "error" || event.bad ? "nl-error" : "";
    const name = event.who && event.what !== "passed" && event.what !== "process" ? `${NAMES[event.who]}: ` : "";
    const arrow = event.what === "passed" ? (event.way === "there" ? "→ " : "← ") : "";
    return element("li", {
      class: `nl-future ${right ? "nl-right" : ""} ${middle ? "nl-middle" : ""} ${kind} ${arrow ? "nl-passing" : ""}`,
      onclick: () => { this.pause(); this.seek(event.at); },
    }, element("span", { class: "nl-when", text: `${(event.t / 1000).toFixed(2)} ` }), `${arrow}${name}${text}`);
  }

  piece(event) {
    const marks = { ended: this.carrier === "unix" ? "end" : "FIN", reset: "RST", cut: "✂" };
    const mark = marks[event.fate];
    const made = element("div", { class: `nl-piece nl-${event.fate} ${event.way === "back" ? "nl-back" : ""}` });
    if (mark) made.textContent = mark;
    else {
      const cross = event.fate === "lost" ? "✕ " : event.fate === "repeated" ? "2× " : "";
      made.append(cross + words(event, 24), element("small", { text: `${event.length} bytes` }));
    }
    const piece = { event, element: made, shown: false };
    event.piece = piece;
    return piece;
  }

  apply(event) {
    const state = this.state;
    switch (event.what) {
      case "session": this.clear(); break;
      case "process": state.processes[event.who] = event; break;
      case "sockets": state.sockets = event; break;
      case "load": state.load = event; break;
      case "crowd": state.crowd = event; break;
      case "network": state.network = event; break;
      case "verdict": state.verdict = event; break;
      case "passed": state.last = event; break;
    }
    if (event.who === "peer") state.peer = true;
    if (["passed", "process", "note", "verdict", "crowd", "network"].includes(event.what)) state.word = event;
    event.line?.classList.remove("nl-future");
    this.current = event.line ?? this.current;
  }

  seek(pos) {
    pos = Math.max(0, Math.min(pos, this.end));
    if (pos < this.pos) {
      this.next = 0;
      this.clear();
      this.current = null;
      for (const event of this.events) if (event.at > pos) event.line?.classList.add("nl-future");
    }
    this.pos = pos;
    while (this.next < this.events.length && this.events[this.next].at <= pos) {
      this.apply(this.events[this.next]);
      this.next += 1;
    }
    this.dirty = true;
  }

  step(by) {
    this.pause();
    const seen = this.events.filter((event) => event.line);
    const at = by > 0
      ? seen.find((event) => event.at > this.pos + 1)
      : seen.findLast((event) => event.at < this.pos - 1);
    this.seek(at ? at.at : by > 0 ? this.end : 0);
  }

  pause() { this.isPlaying = false; this.following = false; this.dirty = true; }

  toggle() {
    if (this.isPlaying) return this.pause();
    if (this.pos >= this.end) this.seek(0);
    this.isPlaying = true;
    this.dirty = true;
  }

  follow() { this.isPlaying = true; this.following = true; this.seek(this.end - FLIGHT * 2); }

  tick(time) {
    const passed = Math.min(100, time - (this.before ?? time));
    this.before = time;
    if (this.isPlaying && this.pos < this.end) {
      let speed = Number(this.speed.value);
      // Who watches as it happens does not fall behind.
      const behind = this.end - this.pos;
      if (this.following && behind > 4000) speed *= behind / 4000;
      this.seek(this.pos + passed * speed);
    } else if (this.isPlaying && !this.isLive && this.events.length) this.pause();
    if (this.dirty) this.draw();
  }

  draw() {
    this.dirty = false;
    const { processes, sockets, load, crowd, network, last, word, verdict } = this.state;
    const lines = this.state.peer ? 3 : 2;
    this.stage.style.setProperty("--lines", lines);
    this.boxes.peer.root.hidden = this.lanes.peer.hidden = !this.state.peer;
    for (const [who, box] of Object.entries(this.boxes)) {
      const process = processes[who];
      const gone = who === "peer" ? false : !process || process.stage === "ended";
      box.root.classList.toggle("nl-gone", gone);
      const stages = { started: "runs", ready: process?.text, ended: `ended: ${process?.text}` };
      const text = who === "peer" ? "misbehaves" : process ? stages[process.stage] : "not there";
      if (box.state.textContent !== text) box.state.textContent = text;
      this.drawSockets(box.sockets, who, sockets);
    }
    this.drawLoad(load, sockets);
    this.crowd.hidden = this.crowdLane.hidden = !crowd?.here;
    if (crowd) {
      this.crowd.replaceChildren(element("h3", { text: "a crowd" }), element("p", {
        text: `${crowd.came} of ${crowd.asked} have come${crowd.refused ? `, ${crowd.refused} were refused` : ""}` }));
    }
    const bad = network && (network.loss || network.delay || network.reorder);
    const netWord = bad
      ? [network.loss && `loss ${network.loss} %`, network.delay && `${network.delay} ms`,
        network.reorder && `reorder ${network.reorder} %`].filter(Boolean).join(", ")
      : "network";
    for (const lane of Object.values(this.lanes)) {
      lane.classList.toggle("nl-bad-net", Boolean(bad));
      if (lane.firstChild.textContent !== netWord) lane.firstChild.textContent = netWord;
    }
    this.drawPieces();
    const text = this.said || (word ? told(word, this.carrier) : "");
    if (this.now.textContent !== text) {
      this.now.textContent = text;
      this.now.classList.toggle("nl-bad-word", Boolean(this.said || word?.bad));
    }
    this.verdict.hidden = !verdict;
    if (verdict) {
      const kind = !verdict.expected ? "nl-odd" : verdict.survived === false ? "nl-limit" : "";
      this.verdict.className = `nl-verdict ${kind}`;
      const how = { true: "survives", false: "does not survive", null: "not played" }[verdict.survived];
      const said = `The trial of ${verdict.fault}: ${how}. ${verdict.text}`;
      if (this.verdict.textContent !== said) this.verdict.textContent = said;
    }
    const [about, dump] = this.bytes.children;
    const head = last ? told({ ...last, bytes: "" }, this.carrier).replace(/: $/, "") : "No bytes have passed yet.";
    if (about.textContent !== head) about.textContent = head;
    const bytes = last ? hexdump(last) : "";
    if (dump.textContent !== bytes) dump.textContent = bytes;
    this.slider.max = this.end;
    this.slider.value = this.pos;
    const shown = this.events[Math.max(0, this.next - 1)];
    const spoken = `${shown ? (shown.t / 1000).toFixed(1) : 0} ms`;
    this.slider.setAttribute("aria-valuetext", spoken);
    this.clock.textContent = `${spoken}, ${this.next} of ${this.events.length}`;
    const label = this.isPlaying ? "Pause" : "Play";
    if (this.playing.title !== label) {
      this.playing.textContent = this.isPlaying ? "❚❚" : "►";
      this.playing.title = label;
      this.playing.setAttribute("aria-label", label);
    }
    if (this.marked !== this.current) {
      this.marked?.classList.remove("nl-at");
      this.current?.classList.add("nl-at");
      this.marked = this.current;
      // Only the box of the log moves, never the page.
      if (this.current) this.log.scrollTop = this.current.offsetTop - this.log.offsetTop - this.log.clientHeight * 0.7;
    }
  }

  drawSockets(list, who, sockets) {
    const rows = sockets?.rows.filter((row) => row.who === who) ?? [];
    const key = JSON.stringify([rows, sockets?.told]);
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    if (sockets && !sockets.told && who === "server") {
      list.replaceChildren(element("li", { text: "states of sockets: not told here" }));
      return;
    }
    list.replaceChildren(...rows.map((row) => element("li", { class: STATES[row.state] ?? "nl-ending" },
      element("b", { text: row.state }), " ",
      element("span", { text: row.number > 1 ? `× ${row.number}` : row.ends }))));
  }

  drawLoad(load, sockets) {
    const served = (sockets?.rows ?? []).filter((row) => row.who === "server" && row.state === "ESTABLISHED")
      .reduce((sum, row) => sum + row.number, 0);
    const key = JSON.stringify([load, served]);
    if (this.load.dataset.key === key) return;
    this.load.dataset.key = key;
    this.load.replaceChildren();
    if (!load || !load.threads) return;
    const dots = (number, round) => {
      const many = number > 150 ? "nl-many" : "";
      const made = element("div", { class: `nl-dots ${round ? "nl-round" : ""} ${many}`, "aria-hidden": "true" });
      for (let n = 0; n < Math.min(number, 1100); n += 1) made.append(element("i"));
      return made;
    };
    this.load.append(
      element("p", { text: `${load.threads} ${load.threads === 1 ? "thread" : "threads"}` }), dots(load.threads, false),
      ...(this.carrier === "tcp" ? [
        element("p", { text: `${served} ${served === 1 ? "connection" : "connections"}` }), dots(served, true),
      ] : []),
      element("p", { text: `${load.descriptors} descriptors, ${(load.kib / 1024).toFixed(1)} MiB` }));
  }

  drawPieces() {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const piece of this.pieces) {
      const { event } = piece;
      const from = event.at - FLIGHT / 2;
      const shown = this.pos >= from && this.pos <= event.at + FLIGHT / 2;
      if (!shown) {
        if (piece.shown) piece.element.remove();
        piece.shown = false;
        continue;
      }
      if (!piece.shown) this.lanes[event.who].append(piece.element);
      piece.shown = true;
      let p = (this.pos - from) / FLIGHT;
      // What is lost gets half way; at the moment of its event it is there.
      if (event.fate === "lost" || event.fate === "cut") p = Math.min(p, 0.5);
      if (still) p = 0.5;
      piece.element.style.setProperty("--p", event.way === "there" ? p : 1 - p);
    }
  }
}

// In the book: plays that were recorded. A chapter that names none has that of its rung, below
// its first words.
async function recorded(root) {
  const reply = await fetch(root.dataset.nlPlay);
  if (!reply.ok) return;
  const events = await reply.json();
  root.replaceChildren();
  const player = new Player(root);
  player.pause();
  events.forEach((event) => player.add(event));
  // What one sees first is the first thing that passes.
  player.seek(events.find((event) => event.what === "passed")?.at ?? 0);
}

async function book() {
  const rung = location.pathname.split("/").pop().replace(/\.html$/, "");
  const first = document.querySelector("main h1 ~ p");
  const named = [...document.querySelectorAll("[data-nl-play]")];
  if (!named.length && first && rung) {
    const list = await (await fetch("plays/list.json")).json();
    if (list.includes(rung)) {
      const root = element("div", { "data-nl-play": `plays/${rung}.json` });
      first.after(root);
      named.push(root);
    }
  }
  await Promise.all(named.map(recorded));
}

// What cannot be loaded is left out: the chapter is whole without it.
if (!document.body.classList.contains("nl-page")) return void book().catch(() => {});

// The page.
const $ = (id) => document.getElementById(id);
const player = new Player($("player"));
player.isLive = true;
let session = null;

async function order(what) {
  try {
    const reply = await fetch("do", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(what),
    });
    say(reply.ok ? "" : (await reply.text()).trim());
  } catch {
    say("the server of this page is gone");
  }
}

// Stands until the next order or answer, whatever plays meanwhile.
function say(text) {
  player.said = text;
  player.dirty = true;
}

// Events of two processes come a little out of order.
let waiting = [];
function hear(event) {
  if (event.what === "session") begin(event);
  if (!waiting.length) setTimeout(flush, 150);
  waiting.push(event);
}
function flush() {
  waiting.sort((a, b) => a.t - b.t);
  const heard = waiting;
  waiting = [];
  heard.forEach((event) => player.add(event));
}

function begin(now) {
  session = now;
  waiting = [];
  player.reset();
  $("rung").value = now.rung;
  $("about").textContent = `${now.rung}: ${now.title}. ` + (now.plays ? `It plays the fault ${now.plays}. ` : "")
    + `Its server is “${now.command}”.`;
  $("examples").replaceChildren(...now.examples.map((value) => element("option", { value })));
  if (!$("text").value || !now.examples.includes($("text").value)) $("text").value = now.examples[0] ?? "hello";
  $("fault").replaceChildren(...now.faults.map((fault) => element("option", {
    value: fault.name, title: fault.about,
    text: fault.name + (fault["lifted-by"] ? ` (until ${fault["lifted-by"]})` : ""),
  })));
  if (!now.faults.length) {
    $("fault").append(element("option", { text: `only in the terminal: cargo xtask faults ${now.alias}` }));
  }
  $("loose").disabled = $("fault").disabled = !now.faults.length;
  for (const button of document.querySelectorAll("[data-fault]")) {
    button.disabled = !now.faults.some((fault) => fault.name === button.dataset.fault);
  }
  $("reorder").disabled = now.carrier !== "udp";
  for (const control of $("crowd-box").querySelectorAll("input, button")) control.disabled = !now.crowd;
  for (const [id, unit] of [["loss", " %"], ["delay", " ms"], ["reorder", " %"]]) show(id, 0, unit);
  document.title = `${now.rung}, live`;
}

function show(id, value, unit) {
  $(id).value = value;
  document.querySelector(`output[for="${id}"]`).textContent = value + unit;
}

function sendNetwork() {
  const value = (id) => Number($(id).value);
  order({ do: "network", loss: value("loss"), delay: value("delay"), reorder: value("reorder") });
}

$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  player.follow();
  order({ do: "say", client: Number($("client").value), text: $("text").value });
});
document.body.addEventListener("click", (event) => {
  const what = event.target.dataset?.do;
  if (!what) return;
  player.follow();
  const client = ["hang-up", "kill-client"].includes(what) ? { client: Number($("client").value) } : {};
  order({ do: what, ...client });
});
for (const button of document.querySelectorAll("[data-fault]")) {
  button.addEventListener("click", () => { player.follow(); order({ do: "fault", name: button.dataset.fault }); });
}
$("loose").addEventListener("click", () => { player.follow(); order({ do: "fault", name: $("fault").value }); });
for (const [id, unit] of [["loss", " %"], ["delay", " ms"], ["reorder", " %"]]) {
  $(id).addEventListener("input", () => show(id, $(id).value, unit));
  $(id).addEventListener("change", sendNetwork);
}
$("good").addEventListener("click", () => {
  for (const [id, unit] of [["loss", " %"], ["delay", " ms"], ["reorder", " %"]]) show(id, 0, unit);
  sendNetwork();
});
$("number").addEventListener("input", () => show("number", $("number").value, ""));
$("crowd").addEventListener("click", () => { player.follow(); order({ do: "crowd", number: Number($("number").value) }); });
$("rung").addEventListener("change", () => order({ do: "begin", rung: $("rung").value }));
$("again").addEventListener("click", () => session && order({ do: "begin", rung: session.rung }));
document.addEventListener("keydown", (event) => {
  const busy = event.target.closest("input:not([type=range]), select, button, a, summary");
  if (busy || event.ctrlKey || event.altKey || event.metaKey || $("live").hidden) return;
  const act = { " ": () => player.toggle(), ",": () => player.step(-1), ".": () => player.step(1) }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

function drawMatrix({ rungs, faults }) {
  const head = element("tr", {}, element("th", { scope: "col", text: "fault" }),
    ...rungs.map((rung) => element("th", { scope: "col", title: rung.title }, element("span", { text: rung.alias }))));
  const marks = { survives: "✓", limit: "✗" };
  const cell = (kind, rung, row) => {
    if (!kind) return element("td");
    const name = `${rung.rung}, ${row.fault}: ${kind === "limit" ? "does not survive it" : "survives it"}`;
    if (rung["why-not"]) return element("td", { class: kind, title: `${name}; ${rung["why-not"]}`, text: marks[kind] });
    return element("td", {}, element("button", {
      class: kind, tabindex: -1, text: marks[kind], title: name, "aria-label": name,
      onclick: () => { order({ do: "begin", rung: rung.rung, fault: row.fault }); location.hash = "#live"; },
    }));
  };
  const body = faults.map((row) => element("tr", {},
    element("th", { scope: "row", title: row.about, text: row.fault }),
    ...row.cells.map((kind, at) => cell(kind, rungs[at], row))));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  $("matrix-box").append(table);
  // One stop for the Tab key; inside, arrows lead on.
  table.querySelector("button")?.setAttribute("tabindex", 0);
  table.addEventListener("keydown", (event) => {
    const by = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    const from = event.target.closest("td");
    if (!by || !from) return;
    event.preventDefault();
    let [column, row] = [from.cellIndex, from.parentElement.rowIndex];
    for (;;) {
      column += by[0];
      row += by[1];
      const to = table.rows[row]?.cells[column];
      if (!to) return;
      const button = to.querySelector("button");
      if (button) {
        table.querySelector("button[tabindex='0']")?.setAttribute("tabindex", -1);
        button.setAttribute("tabindex", 0);
        return button.focus();
      }
    }
  });
}

function route() {
  const isMatrix = location.hash === "#matrix";
  $("live").hidden = isMatrix;
  $("matrix").hidden = !isMatrix;
  for (const [id, here] of [["to-live", !isMatrix], ["to-matrix", isMatrix]]) {
    if (here) $(id).setAttribute("aria-current", "page");
    else $(id).removeAttribute("aria-current");
  }
}
addEventListener("hashchange", route);
route();

fetch("matrix.json").then((reply) => reply.json()).then((matrix) => {
  $("rung").append(...matrix.rungs.map((rung) => element("option", {
    value: rung.rung, disabled: Boolean(rung["why-not"]),
    text: rung.alias + ": " + rung.title, title: rung["why-not"] ?? "",
  })));
  if (session) $("rung").value = session.rung;
  drawMatrix(matrix);
});
const source = new EventSource("events");
source.onmessage = (message) => hear(JSON.parse(message.data));
source.onopen = () => say("");
source.onerror = () => say("the server of this page does not answer; it is asked again");
})();
