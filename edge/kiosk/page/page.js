// Draws the newest screen that the device told. Words come once; nothing is ever sent back but requests for them, and a
// PIN where the settings ask for one (pin.js).
"use strict";

const root = document.documentElement;
const find = (id) => document.getElementById(id);
const LIGHT = new Set(["look", "enrol", "challenge", "flash"]);
const SILENT_MS = 12000; // the stream beats every 5 s
const LOST_MS = 3000; // a connection that broke is tried again for so long before the screen says so
const VISIT_MS = 45000; // a language and a muted sound are those of one visit
const state = { page: null, screen: { name: "starting" }, drawn: "", since: 0, language: "en", sounds: true, heard: 0, touched: 0 };

const say = (name) => state.page.words[state.language][name] ?? "";
const sentence = (words) => {
  const said = words.charAt(0).toLocaleUpperCase(state.language) + words.slice(1);
  return /[.!?؟]$/.test(said) ? said : said + ".";
};
const put = (node, words) => { if (node.textContent !== words) node.textContent = words; };

// -- which screen, and its words

function current(now) {
  const { screen } = state;
  if (now - state.heard > SILENT_MS) return { name: "fault" };
  if (screen.hold_s && now - state.since >= 1000 * screen.hold_s) return { name: screen.name === "flash" ? "look" : screen.rest };
  return screen;
}

function words(screen) {
  const advice = (screen.advice ?? []).map((name) => sentence(say(`advice.${name}`))).join(" ");
  const title = say(`kiosk.${screen.name}.${screen.direction || "title"}`);
  if (pad.on(screen) && pad.sent) return [say("kiosk.starting.title"), ""];
  const typed = say(pad.on(screen) ? "kiosk.pin.pad" : "kiosk.pin.text");
  switch (screen.name) {
    case "idle": return state.page.pin_alone ? [say("kiosk.pin.title"), `${typed} ${say("kiosk.idle.pin")}`]
      : [title, say(state.page.card_in_view ? "kiosk.idle.camera" : "kiosk.idle.reader")];
    case "look": return [title, advice || say(screen.done ? "kiosk.look.fine" : "kiosk.look.text")];
    case "challenge": return [title, screen.direction === "done" ? "" : advice || say("kiosk.challenge.text")];
    case "enrol": return [title, advice || say("kiosk.look.fine")];
    case "pin": return [title, typed];
    case "again": return [title, `${advice || sentence(say(`reason.${screen.reason}`))} ${say("kiosk.again.text")}`];
    case "refused": return [title, sentence(say(`reason.${screen.reason}`))];
    case "other": return [title, state.page.alternative];
    default: return [title, say(`kiosk.${screen.name}.text`)];
  }
}

function share(screen, now) {
  const passed = (now - state.since) / 1000;
  if (screen.name === "wait") return Math.max(0, 1 - passed / screen.wait_s);
  if (screen.name === "pin") return screen.hold_s ? Math.max(0, 1 - passed / screen.hold_s) : 0;
  if (screen.name === "enrol") return screen.of ? screen.done / screen.of : 0;
  return screen.deadline_s ? Math.min(1, passed / screen.deadline_s) : 0;
}

function clock(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

function draw() {
  if (!state.page) return;
  const now = performance.now(), screen = current(now);
  pad.draw(screen);
  const [title, text] = words(screen);
  const key = `${screen.name} ${screen.direction ?? ""} ${screen.direction || screen.colour ? screen.done : ""}`;
  if (state.drawn !== key) {
    state.drawn = key;
    root.dataset.screen = screen.name;
    root.dataset.direction = screen.direction ?? "";
    root.style.setProperty("--flash", screen.colour?.length ? `rgb(${screen.colour.join(" ")})` : "transparent");
    dots(screen);
    root.toggleAttribute("data-light", LIGHT.has(screen.name));
    if (LIGHT.has(screen.name)) closeSheets();
    document.title = title;
    sound(screen.direction === "done" ? "done" : screen.name);
  }
  put(find("title"), title);
  put(find("text"), text);
  root.style.setProperty("--share", share(screen, now).toFixed(4));
  if (screen.name === "wait") put(document.querySelector(".clock"), clock(screen.wait_s - (now - state.since) / 1000));
  const preview = find("preview"), wanted = state.page.preview && LIGHT.has(screen.name);
  if (wanted === preview.hidden) {
    preview.hidden = !wanted;
    if (wanted) preview.src = `/preview?${Math.round(now)}`; else preview.removeAttribute("src");
  }
  if (state.touched && now - state.touched > VISIT_MS && screen.name === "idle") leave();
}

function dots(screen) {
  const steps = find("steps");
  steps.hidden = screen.name !== "challenge";
  steps.replaceChildren(...Array.from({ length: steps.hidden ? 0 : screen.of }, (_, k) => {
    const item = document.createElement("li");
    item.classList.toggle("done", k < screen.done);
    return item;
  }));
}

// -- what stays the same on every screen

function speak(language) {
  state.language = language;
  root.lang = language;
  root.dir = language === "ar" ? "rtl" : "ltr";
  const { page } = state;
  put(find("house"), page.house);
  put(find("language").querySelector("span"), page.languages[language]);
  find("language").setAttribute("aria-label", `${say("kiosk.button.language")}: ${page.languages[language]}`);
  find("sound").setAttribute("aria-label", say("kiosk.button.sound"));
  find("operators").setAttribute("aria-label", say("desk.kiosk"));
  for (const other of document.querySelectorAll(".other span")) put(other, say("kiosk.button.other"));
  put(find("privacy").querySelector("span"), say("kiosk.button.privacy"));
  for (const close of document.querySelectorAll(".close span")) put(close, say("kiosk.button.close"));
  put(find("help-title"), say("kiosk.other.title"));
  put(find("alternative"), page.alternative);
  put(find("notice-title"), say("kiosk.privacy.title"));
  put(find("notice"), say("kiosk.privacy.text"));
  put(find("scan"), say("kiosk.privacy.scan"));
  pad.speak();
  find("code").src = `/code/${language}.svg`;
  find("code").alt = say("kiosk.privacy.scan");
  put(find("tongues-title"), say("kiosk.button.language"));
  for (const one of document.querySelectorAll("#tongues li button"))
    one.setAttribute("aria-pressed", String(one.lang === language));
  draw();
}

function closeSheets() {
  for (const sheet of document.querySelectorAll("dialog[open]")) sheet.close();
}

function leave() {
  state.touched = 0;
  closeSheets();
  hear(state.page.sounds);
  speak(state.page.language);
}

function open(sheet) {
  closeSheets();
  sheet.showModal();
  sheet.querySelector(".sheet").scrollTop = 0;
}

// -- sounds: made here, short, and only when something is to be done or was decided

let audio = null;
const SOUNDS = {
  look: [[660, 0, .18]], challenge: [[880, 0, .12], [880, .18, .12]], done: [[988, 0, .2]], flash: [[740, 0, .15]],
  welcome: [[523, 0, .2], [659, .14, .2], [784, .28, .4]], not_verified: [[392, 0, .25], [330, .2, .35]],
  again: [[494, 0, .2], [494, .26, .2]], refused: [[392, 0, .3]], wait: [[392, 0, .3]], enrolled: [[659, 0, .2], [784, .16, .35]],
};

function sound(name) {
  if (!state.sounds || !SOUNDS[name]) return;
  try { audio ??= new AudioContext(); } catch { return; } // no sound hardware: the words say it all
  for (const [pitch, at, length] of SOUNDS[name]) {
    const tone = audio.createOscillator(), volume = audio.createGain(), from = audio.currentTime + at;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(.22, from + .02);
    volume.gain.exponentialRampToValueAtTime(.001, from + length);
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + length);
  }
}

function hear(wanted) {
  state.sounds = wanted;
  find("sound").setAttribute("aria-pressed", String(wanted));
}

// -- the device

function listen() {
  const stream = new EventSource("/screens");
  stream.onmessage = ({ data }) => {
    const screen = JSON.parse(data);
    state.heard = performance.now();
    state.since = state.heard - screen.age_ms;
    state.screen = screen;
    draw();
  };
  stream.addEventListener("beat", () => { state.heard = performance.now(); });
  stream.onerror = () => {
    state.heard = Math.min(state.heard, performance.now() - SILENT_MS + LOST_MS);
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 1000);
  };
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
  root.dataset.camera = state.page.camera;
  root.toggleAttribute("data-alone", state.page.pin_alone);
  for (const [tag, name] of Object.entries(state.page.languages)) {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button"; button.lang = tag; button.textContent = name; button.dir = "auto";
    button.addEventListener("click", () => { closeSheets(); speak(tag); });
    item.append(button);
    document.querySelector("#tongues ul").append(item);
  }
  find("language").hidden = Object.keys(state.page.languages).length < 2;
  find("operators").hidden = !state.page.operators;
  if (state.page.operators) find("operators").href = state.page.operators;
  find("sound").hidden = !state.page.sounds;
  hear(state.page.sounds);
  state.heard = performance.now();
  pad.begin();
  speak(state.page.language);
  listen();
  setInterval(draw, 250);
}

addEventListener("pointerdown", () => { state.touched = performance.now(); });
addEventListener("keydown", () => { state.touched = performance.now(); });
for (const other of document.querySelectorAll(".other")) other.addEventListener("click", () => open(find("help")));
find("privacy").addEventListener("click", () => open(find("help")));
find("language").addEventListener("click", () => open(find("tongues")));
find("sound").addEventListener("click", () => hear(!state.sounds));
for (const close of document.querySelectorAll(".close")) close.addEventListener("click", closeSheets);
begin();
