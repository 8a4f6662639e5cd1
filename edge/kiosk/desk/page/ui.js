// What the operator's screens are made of: words, nodes, and requests to this page's own process.
"use strict";

const root = document.documentElement;
const find = (id) => document.getElementById(id);
const state = { page: null, told: null, language: "en", route: { name: "home" }, drawn: "", screen: null, heard: 0, touched: 0, stayed: 0 };

const say = (name, language = state.language) => state.page.words[language]?.[name] ?? name;
const sentence = (words) => {
  const said = words.charAt(0).toLocaleUpperCase(state.language) + words.slice(1);
  return /[.!?؟]$/.test(said) ? said : `${said}.`;
};
const put = (node, words) => { if (node && node.textContent !== words) node.textContent = words; };

// el("p", { class: "text", onclick: f }, "words", node): a node; "on..." are listeners, null attributes are left out
function el(tag, given = {}, ...inside) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...inside.flat().filter((part) => part !== null && part !== undefined && part !== false));
  return node;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

const button = (words, onclick, given = {}, ...before) =>
  el("button", { type: "button", onclick, ...given }, ...before, el("span", {}, words));
const heading = (words, more = null) => el("div", { class: "head" }, el("h1", { tabindex: "-1" }, words), more && el("p", { class: "text" }, more));

function field(label, given, help = null) {
  const id = `f-${given.name}`;
  const input = el("input", { id, autocomplete: "off", autocapitalize: "none", spellcheck: "false", dir: "auto", ...given });
  return el("div", { class: "field" }, el("label", { for: id }, label), withKeys(input), help && el("p", { class: "help" }, help));
}

// A moment in words, of Unix seconds; a day alone where that is enough
const moment = (seconds, day = false) => new Intl.DateTimeFormat(state.language, day
  ? { dateStyle: "medium", timeZone: "UTC" } : { dateStyle: "short", timeStyle: "short" }).format(new Date(1000 * seconds));
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

async function ask(path, said = {}) {
  const headers = { "Content-Type": "application/json" };
  if (state.told?.sitting) headers["X-Edge-Page"] = state.told.sitting.page;
  try {
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(said) });
    const told = await answer.json().catch(() => ({}));
    return { ok: answer.ok, status: answer.status, ...told };
  } catch {
    return { ok: false, status: 0 };
  }
}

const act = (name, said = {}) => ask("/do", { act: name, said });
const away = () => ask("/cancel"); // ends the act under way, or puts its end away

function go(name, more = {}) {
  state.route = { name, ...more };
  draw();
}

// Ask before something that cannot be taken back
function sure(words, label, perform, danger = false) {
  const sheet = find("sure"), pair = sheet.querySelector(".pair");
  put(find("sure-title"), say("desk.sure"));
  put(find("sure-text"), words);
  pair.replaceChildren(
    button(label, () => { sheet.close(); perform(); }, { class: danger ? "main danger" : "main" }),
    button(say("desk.button.cancel"), () => sheet.close()),
  );
  sheet.showModal();
}
