// A keyboard on the screen, for a kiosk that has no other. It opens when a field is touched with a finger, or by the field's
// own button, and goes when somebody types on a real one. Keys stand as on the keyboards of their languages, from the left.
"use strict";

const ROWS = {
  en: ["qwertyuiop", "asdfghjkl", "zxcvbnm'"],
  fr: ["azertyuiop", "qsdfghjklm", "wxcvbn'ëïû", "éèêàâçîôùœ"],
  de: ["qwertzuiop", "asdfghjklß", "yxcvbnmäöü"],
  es: ["qwertyuiop", "asdfghjklñ", "zxcvbnm'", "áéíóúü"],
  ar: ["ضصثقفغعهخح", "شسيبلاتنمك", "ئءؤرىةوزظط", "جدذأإآ"],
  signs: ["1234567890", "@.-_+'&/()", ",:;!?#%*=\"", "$~^`|\\<>[]", "{}€§°"],
  serial: ["1234567890", "abcdef"],
};

const keys = {
  field: null, language: "en", page: "", capital: false,

  open(field) {
    const known = state.language in ROWS ? state.language : "en";
    if (!keys.field) Object.assign(keys, { language: known, page: field.name === "serial" ? "serial" : known });
    else if (keys.field !== field) keys.rest();
    Object.assign(keys, { field, capital: false });
    field.setAttribute("inputmode", "none"); // no second keyboard of the system's
    keys.draw();
    field.focus({ preventScroll: true });
    field.scrollIntoView({ block: "center" });
  },

  close() {
    if (!keys.field) return;
    keys.rest();
    keys.field = null;
    keys.draw();
  },

  rest() { if (keys.field.name !== "serial") keys.field.removeAttribute("inputmode"); },

  // A screen that was drawn anew has other fields
  check() { if (keys.field && !keys.field.isConnected) keys.close(); },

  type(sign) {
    const { field } = keys;
    if (field.value.length - (field.selectionEnd - field.selectionStart) + sign.length > field.maxLength && field.maxLength >= 0) return;
    field.setRangeText(sign, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    if (keys.capital) { keys.capital = false; keys.draw(); }
  },

  delete() {
    const { field } = keys, to = field.selectionEnd, from = field.selectionStart === to ? to - 1 : field.selectionStart;
    if (from < 0) return;
    field.setRangeText("", from, to, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  },

  // To the next field that is empty, and away when there is none
  done() {
    const next = [...find("main").querySelectorAll(TYPED)].find((one) => one !== keys.field && !one.value);
    if (next) keys.open(next); else keys.close();
  },

  turn(to) { Object.assign(keys, to); keys.draw(); },

  draw() {
    const shown = Boolean(keys.field), board = find("keys");
    root.toggleAttribute("data-keys", shown);
    board.hidden = !shown;
    for (const one of document.querySelectorAll(".with-keys button")) one.setAttribute("aria-expanded", String(one.previousElementSibling === keys.field));
    if (!shown) { board.replaceChildren(); return; }
    const { page, language } = keys, letters = page === language, held = document.activeElement?.dataset?.key;
    const key = (name, inside, perform, given = {}) => el("button", { type: "button", class: "type", "data-key": name, onclick: perform, ...given }, inside);
    const sign = (one) => {
      const said = keys.capital && letters ? (one === "ß" ? "ẞ" : one.toLocaleUpperCase(language)) : one;
      return key(one, said, () => keys.type(said), letters ? { lang: language } : {});
    };
    const tongues = Object.keys(state.page.all_languages).filter((tag) => tag in ROWS), after = tongues[(tongues.indexOf(language) + 1) % tongues.length];
    board.setAttribute("aria-label", say("desk.keys"));
    board.replaceChildren(...ROWS[page].map((row) => el("div", { class: "row-of-keys" }, [...row].map(sign))), el("div", { class: "row-of-keys" },
      key("shift", icon("shift"), () => keys.turn({ capital: !keys.capital }), { "aria-label": say("desk.keys.shift"), "aria-pressed": String(keys.capital), disabled: !letters || language === "ar" }),
      key("page", letters ? "123" : "abc", () => keys.turn({ page: letters ? "signs" : language, capital: false }), { "aria-label": say(letters ? "desk.keys.signs" : "desk.keys.letters") }),
      key("language", language.toUpperCase(), () => keys.turn({ language: after, page: after, capital: false }),
        { "aria-label": `${say("kiosk.button.language")}: ${state.page.all_languages[language]}` }),
      key("at", "@", () => keys.type("@")), key("space", "", () => keys.type(" "), { "aria-label": say("desk.keys.space") }), key("dot", ".", () => keys.type(".")), key("dash", "-", () => keys.type("-")),
      key("back", icon("delete"), () => keys.delete(), { "aria-label": say("desk.digit.delete") }),
      key("done", icon("enter"), () => keys.done(), { "aria-label": say("desk.button.done"), class: "type main" })));
    if (held) board.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus(); // of whoever moves from key to key
  },
};

//: Fields that are typed into; the operator's token has keys of its own.
const TYPED = ".with-keys input";

// A field with its button for the keyboard
const withKeys = (input) => el("div", { class: "with-keys" }, input, el("button", { type: "button", "aria-label": say("desk.keys"), "aria-expanded": "false", "aria-controls": "keys",
  onclick: () => { if (keys.field === input) keys.close(); else keys.open(input); } }, icon("keys")));

addEventListener("click", (event) => { if (event.pointerType && event.pointerType !== "mouse" && event.target.matches(TYPED)) keys.open(event.target); });
addEventListener("keydown", (event) => { if (event.target === keys.field && event.key.length === 1) keys.close(); });
// Keys leave the field its focus and its place; who comes to them with a real keyboard keeps theirs
find("keys").addEventListener("pointerdown", (event) => event.preventDefault());
