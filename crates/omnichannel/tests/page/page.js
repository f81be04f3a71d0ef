// The script of the page, with a server, a document and a clock that are made here:
// node page.js SCRIPT
"use strict";

const assert = require("node:assert");
const { readFileSync } = require("node:fs");
const vm = require("node:vm");

const source = readFileSync(process.argv[2], "utf8");
const turn = () => new Promise((resolve) => setImmediate(resolve));
const never = () => new Promise(() => {});

// A page whose requests `answer` answers. Time stands still: what waits for it is in `timers`.
function open(answer) {
  const page = { elements: {}, alerts: [], timers: [], requests: [] };
  page.at = (id) => page.elements[id] ??= {
    value: "", textContent: "", hidden: true, listeners: {},
    addEventListener(name, listener) { this.listeners[name] = listener; },
  };
  const area = page.at("text");
  area.disabled = true;
  // As a textarea, which knows one line end.
  let shown = "";
  Object.defineProperty(area, "value", {
    get: () => shown,
    set: (text) => { shown = text.replace(/\r\n?/g, "\n"); },
  });
  page.tell = (id, event) => page.at(id).listeners[event]({ preventDefault() {} });
  page.until = async (is) => { while (!is()) await turn(); };
  page.type = (text) => {
    page.at("text").value = text;
    page.tell("text", "input");
    return page.timers.pop().run();
  };
  vm.runInNewContext(source, {
    document: { getElementById: page.at },
    alert: (words) => page.alerts.push(words),
    // As where the page comes from another machine, without encryption.
    crypto: { getRandomValues: (numbers) => crypto.getRandomValues(numbers) },
    setTimeout: (run, pause) => page.timers.push({ run, pause }),
    clearTimeout() {},
    TextDecoderStream,
    fetch: async (path, { method = "GET", headers, body }) => {
      const request = { path, method, headers, body };
      page.requests.push(request);
      // As a network does it: whoever asks without a pause stops nobody else.
      await turn();
      return answer(request, page);
    },
  });
  return page;
}

const tagged = (status, revision, text = null) =>
  new Response(text, { status, headers: { ETag: `"${revision}"` } });

// A server that has nothing yet, and answers changes in turn.
function server(...changes) {
  return ({ path, method }) => {
    if (path === "/changes") return never();
    return method === "GET" ? tagged(200, 0, "") : changes.shift();
  };
}

const promises = {
  async "what is typed is sent under a new name each time also from another machine"() {
    const page = open(server(tagged(204, 1), tagged(204, 2)));
    await page.tell("login", "submit");
    await page.type("one");
    await page.type("two");
    const sent = page.requests.filter(({ method }) => method === "PUT");
    assert.deepEqual(sent.map(({ body }) => body), ["one", "two"]);
    const keys = new Set(sent.map(({ headers }) => headers["Idempotency-Key"]));
    assert.equal(keys.size, 2);
    for (const key of keys) assert.match(key, /^[0-9a-f]{32}$/);
    assert.equal(page.at("state").value, "revision 2, written here");
  },

  async "of two texts that others were faster than none is lost"() {
    const page = open(server(tagged(412, 1, "theirs"), tagged(412, 2, "theirs again")));
    await page.tell("login", "submit");
    await page.type("first of mine");
    await page.type("second of mine");
    assert.equal(page.at("text").value, "theirs again");
    assert.equal(page.at("mine").textContent, "first of mine\n\nsecond of mine");
    assert.equal(page.at("others").hidden, false);
  },

  async "events that end at once are not asked for all the time"() {
    const page = open(({ path }) => path === "/changes" ? new Response("") : tagged(200, 0, ""));
    await page.tell("login", "submit");
    const asked = () => page.requests.filter(({ path }) => path === "/changes").length;
    await page.until(() => page.timers.length === 1 || asked() > 1);
    assert.equal(asked(), 1);
    page.timers.pop().run();
    await page.until(() => asked() === 2);
  },

  async "line ends that a browser has otherwise are nothing that was typed"() {
    const events = 'id: 2\ndata: {"revision":2,"text":"c\\rd"}\n\n';
    const page = open(({ path }) =>
      path === "/changes" ? new Response(events) : tagged(200, 1, "a\r\nb"));
    await page.tell("login", "submit");
    await page.until(() => page.at("state").value === "revision 2");
    assert.equal(page.at("text").value, "c\nd");
    assert.equal(page.at("others").hidden, true);
  },

  async "a server that is away or fails is told and is no wrong token"() {
    const away = open(() => { throw new TypeError("Failed to fetch"); });
    await away.tell("login", "submit");
    assert.match(away.alerts[0], /does not answer/);
    const failing = open(() => new Response("the store failed", { status: 503 }));
    await failing.tell("login", "submit");
    assert.deepEqual(failing.alerts, ["the store failed"]);
  },

  async "a refusal to delete is told"() {
    const page = open(server(new Response("this is a replica", { status: 421 })));
    await page.tell("login", "submit");
    await page.tell("delete", "click");
    assert.equal(page.at("state").value, "this is a replica");
  },
};

// Ends a test that would otherwise hang.
const late = setTimeout(() => { throw new Error("nothing happens any more"); }, 30_000);

(async () => {
  for (const [promise, kept] of Object.entries(promises)) {
    await kept();
    console.log(promise);
  }
  clearTimeout(late);
})();
