// A PIN, beside a card or in its place, typed here where the settings say so: all that this page ever sends. It is shown
// as dots, kept in no variable, and gone with the screen that asks for it, or when whoever began to type it has left.
"use strict";

const LEFT_MS = 20000, AGAIN_MS = 10000; // nobody types any more; what was sent has led to no other screen

const pad = {
  asked: false, sent: 0, for: 0,

  // Whether the page takes a PIN on this screen
  on: (screen) => Boolean(state.page.pin_pad) && (screen.name === "pin" || (screen.name === "idle" && state.page.pin_alone)),

  draw(screen) {
    const asked = pad.on(screen), now = performance.now(), gone = pad.sent && now - pad.sent > AGAIN_MS;
    const left = screen.name === "idle" && find("pin").value && now - state.touched > LEFT_MS;
    const anew = asked && (pad.for !== screen.at_ns || gone || left);
    if (asked === pad.asked && !anew) return;
    pad.asked = asked;
    pad.for = screen.at_ns;
    pad.sent = 0;
    find("keypad").hidden = !asked;
    root.toggleAttribute("data-pad", asked);
    find("pin").value = "";
    pad.typed();
    if (!asked) return;
    if (screen.name === "pin") closeSheets();
    if (!document.querySelector("dialog[open]")) find("pin").focus({ preventScroll: true });
  },

  typed() {
    const box = find("pin"), digits = box.value.replace(/[^0-9]/g, "");
    if (digits !== box.value) box.value = digits;
    const sent = pad.sent > 0;
    find("enter").disabled = sent || digits.length < 4;
    for (const key of document.querySelectorAll("#keypad .key:not(#enter)")) key.disabled = sent;
    box.readOnly = sent;
  },

  press(digit) {
    const box = find("pin");
    if (box.value.length < box.maxLength) box.value += digit;
    pad.typed();
  },

  async send() {
    const box = find("pin");
    if (pad.sent || box.value.length < 4) return;
    pad.sent = performance.now();
    pad.typed();
    draw();
    const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ pin: box.value }) };
    const taken = await fetch("/pin", request).then((answer) => answer.ok || answer.status === 409, () => false);
    box.value = "";
    if (!taken) { pad.sent = 0; draw(); } // it did not arrive: once more
    pad.typed();
  },

  speak() {
    find("pin").setAttribute("aria-label", say("kiosk.pin.title"));
    find("delete").setAttribute("aria-label", say("desk.digit.delete"));
    find("enter").setAttribute("aria-label", say("kiosk.pin.enter"));
  },

  begin() {
    const box = find("pin");
    box.addEventListener("input", pad.typed);
    find("keypad").addEventListener("submit", (event) => { event.preventDefault(); pad.send(); });
    find("delete").addEventListener("click", () => { box.value = box.value.slice(0, -1); pad.typed(); });
    for (const key of document.querySelectorAll("#keypad .key:not([id])")) key.addEventListener("click", () => pad.press(key.textContent));
  },
};
