// Which screen it is, what stays the same on all of them, and the stream that tells the page what the device does.
"use strict";

const VISIT_MS = 60000; // a sign-in screen that nobody touches goes back to the door's page
const STAY_MS = 20000; // how often the process is told that somebody is there
const SILENT_MS = 12000;
const READ = { decisions, health, selftest, view, erase: erased, draw_pin: drawnPin };
const ROUTES = { home, unlock, form: personForm, consent, declined, present, hold, failed, paths };

function current() {
  const told = state.told;
  if (!told.sitting) return signIn();
  const { act: name, stage } = told.now;
  if (name === "card" || name === "take") return stage === "done" ? (settle("hold"), wait()) : present();
  if (stage === "capture") return capture();
  if (stage === "hand_over") return handOver();
  if (name === "view" && stage === "view") return view();
  if (stage === "failed") return failed();
  if (stage === "done" && name === "health" && state.route.name === "paths") return paths();
  if (stage === "done") return MAKING.has(name) ? made() : (READ[name] ?? done)();
  if (stage) return wait();
  const route = state.route.name;
  if (route === "hold" && !told.about.card) return present();
  if (route === "perform") { const wanted = state.route.act; state.route = { name: "hold" }; act(wanted, { language: state.language }); return wait(); }
  return (ROUTES[route] ?? home)();
}

// An act whose end needs no screen of its own is put away
function settle(route) {
  state.route = { name: route };
  if (!settle.busy) { settle.busy = true; away().finally(() => { settle.busy = false; }); }
}

function draw() {
  if (!state.page || !state.told) return;
  const screen = current(), key = `${state.language} ${screen.key}`;
  if (state.drawn !== key) {
    state.drawn = key;
    const name = screen.key.split("-")[0] === "sign" ? "sign-in" : screen.key.split("-")[0];
    root.dataset.screen = name;
    root.toggleAttribute("data-light", Boolean(state.told.sitting));
    if (name !== "hand" && name !== "erased") find("paper").replaceChildren();
    find("main").replaceChildren(...screen.nodes);
    find("bar").replaceChildren(...screen.bar.filter(Boolean));
    state.screen = screen; // its update knows these very nodes
    find("main").scrollTop = 0;
    const title = find("main").querySelector("h1");
    document.title = title?.textContent ?? "…";
    const wanted = screen.focus && matchMedia("(hover: hover)").matches ? find("main").querySelector(screen.focus) : title;
    if (drawn.once) wanted?.focus({ preventScroll: true });
    drawn.once = true;
    if (find("sure").open) find("sure").close();
    keys.check();
  }
  state.screen.update?.();
  for (const [id, words] of [["who", state.told.sitting?.operator]]) { find(id).hidden = !words; put(find(id), words ?? ""); }
  find("out").hidden = !state.told.sitting;
  idle();
}
const drawn = { once: false };

function idle() {
  const left = state.told.sitting?.left_s, sheet = find("idle");
  if (left === undefined) { if (sheet.open) sheet.close(); return; }
  put(find("idle-title"), say("desk.idle.title"));
  put(find("idle-text"), say("desk.idle.text"));
  put(sheet.querySelector(".clock"), clock(left));
  put(find("stay"), say("desk.button.stay"));
  if (!sheet.open) sheet.showModal();
}

function speak(language) {
  state.language = language;
  root.lang = language;
  root.dir = language === "ar" ? "rtl" : "ltr";
  sessionStorage.setItem("language", language);
  put(find("house"), state.page.house || state.page.device);
  put(find("language").querySelector("span"), state.page.all_languages[language]);
  find("language").setAttribute("aria-label", `${say("kiosk.button.language")}: ${state.page.all_languages[language]}`);
  put(find("out").querySelector("span"), say("desk.button.sign_out"));
  find("out").setAttribute("aria-label", say("desk.button.sign_out"));
  keys.close();
  put(find("tongues-title"), say("kiosk.button.language"));
  for (const close of document.querySelectorAll(".close span")) put(close, say("kiosk.button.close"));
  for (const one of document.querySelectorAll("#tongues li button")) one.setAttribute("aria-pressed", String(one.lang === language));
  draw();
}

const leave = () => { location.href = state.page.door; };

// -- the process behind this page

let stream = null;
function listen() {
  stream?.close();
  const mine = stream = new EventSource("/state");
  stream.onmessage = ({ data }) => {
    const told = JSON.parse(data), before = state.told;
    state.heard = performance.now();
    state.told = told;
    if (before?.sitting && !told.sitting) { state.route = { name: "home" }; state.touched = performance.now(); for (const sheet of document.querySelectorAll("dialog[open]")) sheet.close(); }
    draw();
  };
  stream.addEventListener("beat", () => { state.heard = performance.now(); });
  stream.onerror = () => { if (mine.readyState === EventSource.CLOSED && mine === stream) setTimeout(listen, 1000); };
}

function tick() {
  if (state.told && !state.told.sitting && performance.now() - state.touched > VISIT_MS) leave();
  root.toggleAttribute("data-lost", performance.now() - state.heard > SILENT_MS);
}

function touched() {
  const now = state.touched = performance.now();
  if (state.told?.sitting && now - state.stayed > STAY_MS) { state.stayed = now; ask("/stay"); }
}

async function begin() {
  try {
    const page = await (await fetch("/page.json")).json();
    if (!page.words) throw new Error("not ready");
    state.page = page;
  } catch {
    setTimeout(begin, 500);
    return;
  }
  for (const [tag, name] of Object.entries(state.page.all_languages)) {
    const one = el("button", { type: "button", lang: tag, dir: "auto", onclick: () => { find("tongues").close(); speak(tag); } }, name);
    document.querySelector("#tongues ul").append(el("li", {}, one));
  }
  state.touched = state.heard = performance.now();
  const kept = sessionStorage.getItem("language");
  speak(kept in state.page.all_languages ? kept : state.page.language);
  listen();
  setInterval(tick, 1000);
}

addEventListener("pointerdown", touched);
addEventListener("keydown", touched);
find("language").addEventListener("click", () => find("tongues").showModal());
find("out").addEventListener("click", async () => { await ask("/sign-out"); listen(); });
find("stay").addEventListener("click", () => { state.stayed = 0; touched(); find("idle").close(); });
document.querySelector("#tongues .close").addEventListener("click", () => find("tongues").close());
begin();
