// The draft in a browser: the same operations as over the other channels, by the same rules.
// The token stays in this page's memory: not in the address, not in a cookie, not on the disk.
"use strict";

const PAUSE = 400; // Milliseconds without a key before the text is sent.
const AGAIN = 1000; // Milliseconds before a lost server is asked again.

const at = (id) => document.getElementById(id);
const text = at("text");
let token = "";
let revision = 0; // What the server has, as far as is known here,
let known = ""; // and its text.
let sending = false;
let waiting = null; // The last change that came while something was sent.
let timer = 0;

const fields = (more) => ({ Authorization: `Bearer ${token}`, ...more });
const say = (words) => { at("state").value = words; };

function show(newRevision, given) {
  const mine = text.value;
  const newText = given.replace(/\r\n?/g, "\n"); // As the page has it then.
  const changedHere = mine !== known && mine !== newText;
  revision = newRevision;
  known = newText;
  if (changedHere) {
    // Behind what was written before: nobody may have looked at that yet.
    const before = at("mine").textContent;
    at("mine").textContent = before ? `${before}\n\n${mine}` : mine;
    at("others").hidden = false;
  }
  if (text.value !== newText) text.value = newText;
  say(`revision ${revision}`);
}

function take(changed) {
  if (changed && changed.revision > revision) show(changed.revision, changed.text ?? "");
}

// Not randomUUID: a browser has that for pages of this machine or with encryption only.
function newKey() {
  const numbers = crypto.getRandomValues(new Uint32Array(4));
  return Array.from(numbers, (number) => number.toString(16).padStart(8, "0")).join("");
}

// A change, under one name in all its tries: however often it is sent, it has one effect.
async function change(method, body) {
  const headers = fields({ "If-Match": `"${revision}"`, "Idempotency-Key": newKey() });
  for (;;) {
    try {
      const response = await fetch("/draft", { method, headers, body });
      if (response.status !== 503) return response;
    } catch { /* The server is away. */ }
    say("the server does not answer; trying again");
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
}

async function send() {
  if (sending || text.value === known) return;
  sending = true;
  const sent = text.value;
  const response = await change("PUT", sent);
  const tag = Number((response.headers.get("ETag") || "").replaceAll('"', ""));
  sending = false;
  if (response.status === 204) {
    if (tag > revision) { revision = tag; known = sent; }
    say(`revision ${revision}, written here`);
    if (text.value !== known) later();
  } else if (response.status === 412) {
    show(tag, await response.text());
  } else {
    say(await response.text());
  }
  take(waiting);
  waiting = null;
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(send, PAUSE);
}

async function erase() {
  const response = await change("DELETE");
  if (response.status === 412) say("it has changed meanwhile: look, and delete it again");
  else if (response.status !== 204) say(await response.text());
}

// Changes of all channels. EventSource cannot send a token, so this reads the same events.
async function follow() {
  for (;;) {
    try {
      const headers = fields({ "Last-Event-ID": String(revision) });
      const response = await fetch("/changes", { headers });
      if (response.status !== 200) throw new Error(response.status);
      text.disabled = false;
      say(`revision ${revision}`);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const events = (rest + value).split("\n\n");
        rest = events.pop();
        for (const event of events) {
          const data = event.split("\n").find((line) => line.startsWith("data: "));
          if (!data) continue;
          const changed = JSON.parse(data.slice(6));
          // Of what is on its way just now it may be the echo: looked at when the answer is there.
          if (sending) waiting = changed;
          else take(changed);
        }
      }
    } catch (error) {
      if (error.message === "401") return say("this token proves no account");
      if (error.message === "409") return say("this is not the store of before: load the page anew");
      say("the server does not answer; what you write is sent when it does");
    }
    // Whatever ends the events at once is not asked all the time.
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
}

at("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  token = at("token").value.trim();
  let response;
  let current;
  try {
    response = await fetch("/draft", { headers: fields() });
    current = await response.text();
  } catch {
    // The browser does not say which: a header field has no room for every character.
    return alert("The server does not answer, or this can be no token.");
  }
  if (response.status !== 200) return alert(current);
  at("login").hidden = true;
  at("open").hidden = false;
  show(Number(response.headers.get("ETag").replaceAll('"', "")), current);
  follow();
});
text.addEventListener("input", later);
at("delete").addEventListener("click", erase);
