// The screens. Each gives { key, nodes, bar, update }: drawn anew when its key is another one, else only updated.
"use strict";

const MAKING = new Set(["enrol", "opt_out", "renew", "add_reference", "reissue"]);

const bars = {
  home: () => [button(say("desk.button.leave"), leave, { class: "quiet" })],
  back: (to = "home", more = {}) => button(say("desk.button.back"), async () => { await away(); go(to, more); }, { class: "quiet" }, icon("back")),
};

function signIn() {
  const { wait_s: wait, taken } = state.told;
  const input = el("input", { id: "token", type: "password", inputmode: "numeric", autocomplete: "off", maxlength: "24", "aria-describedby": "hint" });
  const enter = async () => {
    const token = input.value;
    if (!token) return;
    input.value = "";
    signIn.said = "";
    find("main").classList.add("busy");
    const answer = await ask("/sign-in", { token });
    find("main").classList.remove("busy");
    signIn.said = answer.ok || answer.wait_s ? "" : answer.status === 409 ? "desk.sign_in.taken"
      : answer.status === 403 ? "desk.sign_in.wrong" : "";
    signIn.error = answer.ok || !answer.what ? "" : `${answer.what}: ${answer.remedy}`;
    if (answer.ok) listen(); // with the cookie
    else update();
  };
  const press = (digit) => { if (!input.disabled) { input.value += digit; input.dispatchEvent(new Event("input")); } };
  const key = (digit) => el("button", { type: "button", onclick: () => press(digit), class: "key" }, String(digit));
  const form = el("form", { onsubmit: (event) => { event.preventDefault(); enter(); } },
    el("label", { for: "token" }, say("desk.token")), input, el("p", { id: "hint", role: "alert" }));
  const pad = el("div", { class: "pad" }, [1, 2, 3, 4, 5, 6, 7, 8, 9].map(key),
    el("button", { type: "button", class: "key", "aria-label": say("desk.digit.delete"), onclick: () => { input.value = input.value.slice(0, -1); } }, icon("delete")),
    key(0), el("button", { type: "button", class: "key main", "aria-label": say("desk.sign_in.button"), onclick: enter }, icon("enter")));
  const update = () => {
    const now = state.told, hint = find("hint");
    if (!hint) return;
    input.disabled = now.wait_s > 0;
    root.toggleAttribute("data-waits", now.wait_s > 0);
    put(hint, now.wait_s > 0 ? `${say("desk.sign_in.wait")} ${clock(now.wait_s)}` : signIn.error || (signIn.said ? say(signIn.said) : now.taken ? say("desk.sign_in.taken") : ""));
  };
  return { key: "sign-in", nodes: [el("section", { class: "sign-in" }, el("div", {}, icon("key"), heading(say("desk.sign_in.title"), say("desk.sign_in.text")), form), pad)],
    bar: bars.home(), update, wait, taken };
}

function home() {
  const tile = (name, onclick) => el("button", { type: "button", class: "tile", onclick, "data-tile": name }, icon(name),
    el("span", { class: "name" }, say(`desk.tile.${name}`)), el("span", { class: "about" }, say(`desk.tile.${name}.text`)));
  const run = (name) => tile(name, () => act(name));
  return { key: "home", nodes: [heading(say("desk.home.title")),
    el("div", { class: "tiles" }, tile("enrol", () => needKey("form")), tile("card", () => go(state.told.about.card ? "hold" : "present")),
      run("decisions"), run("health"), run("selftest"), tile("view", () => act("view")))], bar: bars.home() };
}

// -- the issuer's key

function needKey(then, more = {}) {
  go(state.told.about.issuer === "open" ? then : "unlock", { then, more, ...more });
}

function unlock() {
  const { then, more } = state.route;
  if (state.told.about.issuer === "none")
    return { key: "no-key", nodes: [plain("key", say("desk.unlock.title"), say("desk.unlock.none"))], bar: [bars.back()] };
  const wrong = el("p", { class: "wrong", role: "alert" });
  const box = field(say("desk.unlock.label"), { name: "passphrase", type: "password" });
  const open = async () => {
    const input = box.querySelector("input"), passphrase = input.value;
    input.value = "";
    put(wrong, "");
    find("main").classList.add("busy");
    const answer = await ask("/unlock", { passphrase });
    find("main").classList.remove("busy");
    if (answer.ok) go(then, more);
    else { put(wrong, answer.status === 403 ? say("desk.unlock.wrong") : answer.what ?? ""); input.focus(); }
  };
  const form = el("form", { class: "form", onsubmit: (event) => { event.preventDefault(); open(); } }, box, wrong,
    button(say("desk.unlock.button"), null, { type: "submit", class: "main" }));
  return { key: "unlock", nodes: [heading(say("desk.unlock.title"), say("desk.unlock.text")), form], bar: [bars.back()], focus: "input" };
}

// -- enrolling

function personForm() {
  const { about } = state.told, given = state.route;
  const subject = field(say("ask.subject"), { name: "subject", maxlength: "200", value: given.subject ?? "" });
  const contact = field(say("ask.withdrawal"), { name: "withdrawal", maxlength: "200", value: given.withdrawal ?? about.contact });
  const chosen = given.language ?? state.language;
  const choices = Object.entries(state.page.all_languages).map(([tag, name]) => {
    const input = el("input", { type: "radio", name: "language", value: tag, id: `l-${tag}` });
    input.checked = tag === chosen;
    return el("label", { for: `l-${tag}`, lang: tag, class: "choice" }, input, el("span", {}, name));
  });
  const read = (form) => Object.fromEntries(new FormData(form));
  const form = el("form", { class: "form", onsubmit: async (event) => {
    event.preventDefault();
    const said = { subject: subject.querySelector("input").value.trim(), withdrawal: contact.querySelector("input").value.trim(), language: read(form).language };
    for (const [box, value] of [[subject, said.subject], [contact, said.withdrawal]])
      if (!value) { box.querySelector("input").focus(); return; }
    const answer = await fetch("/consent.json");
    const texts = await answer.json();
    if (answer.ok) go("consent", { ...said, texts });
    else go("failed", { what: texts.what, remedy: texts.remedy });
  } }, subject, contact, el("fieldset", { class: "choices" }, el("legend", {}, say("desk.form.language")), choices));
  form.id = "person";
  return { key: "form", nodes: [heading(say("desk.form.title")), form], focus: "input", bar: [bars.back(),
    button(say("desk.form.opt_out"), () => act("opt_out", { language: read(form).language }), { class: "quiet" }),
    button(say("desk.button.next"), null, { type: "submit", form: "person", class: "main" })] };
}

function consent() {
  const said = state.route, language = said.language, speak = (name) => say(name, language);
  const dir = language === "ar" ? "rtl" : "ltr";
  const facts = el("dl", { class: "facts" },
    fact(speak("desk.consent.who"), said.subject), fact(speak("desk.consent.withdrawal"), said.withdrawal));
  const paper = el("section", { class: "letter", lang: language, dir }, el("h1", { tabindex: "-1" }, speak("desk.consent.title")),
    el("ol", {}, said.texts[language].map((words) => el("li", {}, el("span", {}, words)))), facts);
  const pair = el("div", { class: "pair", lang: language, dir },
    button(speak("desk.consent.refuse"), () => go("declined", { language })),
    button(speak("desk.consent.agree"), () => act("enrol", { subject: said.subject, withdrawal: said.withdrawal, language, agreed: true })));
  return { key: "consent", nodes: [paper], bar: [bars.back("form", said), pair] };
}

function declined() {
  const { language } = state.route, speak = (name) => say(name, language);
  const node = el("section", { class: "whole", lang: language, dir: language === "ar" ? "rtl" : "ltr" },
    plain("bell", speak("desk.refused.title"), speak("desk.refused.text"), state.page.alternative));
  return { key: "declined", nodes: [node], bar: [bars.back(), button(speak("desk.form.opt_out"), () => act("opt_out", { language }), { class: "main", lang: language })] };
}

function capture() {
  const oval = find("oval-template").content.cloneNode(true);
  const title = el("h1", { tabindex: "-1" }, say("kiosk.enrol.title")), advice = el("p", { class: "text", "aria-live": "assertive" });
  const steps = el("ol", { id: "steps", "aria-hidden": "true" });
  return { key: "capture", light: true, nodes: [el("section", { class: "capture" }, el("div", { class: "picture" }, oval), el("div", { class: "words" }, title, advice, steps))],
    bar: [button(say("desk.button.cancel"), away, { class: "quiet" })],
    update: () => {
      const { have = 0, want = 0, advice: hints = [] } = state.told.now;
      put(advice, hints.map((name) => sentence(say(`advice.${name}`))).join(" ") || say("kiosk.look.fine"));
      root.style.setProperty("--share", want ? (have / want).toFixed(3) : 0);
      steps.replaceChildren(...Array.from({ length: want }, (_, k) => el("li", { class: k < have ? "done" : "" })));
    } };
}

function theCard(card) {
  const code = el("img", { class: "code", src: `/code.svg?${card.serial.slice(0, 4)}`, alt: card.code_alt });
  code.addEventListener("load", () => find("handed")?.removeAttribute("disabled"));
  return el("div", { class: "the-card", lang: card.language, dir: card.language === "ar" ? "rtl" : "ltr" },
    el("div", { class: "side" }, el("p", { class: "by" }, card.issued_by), el("p", { class: "kind" }, card.title),
      el("p", { class: "label" }, card.valid_until), el("p", { class: "value" }, card.until),
      el("p", { class: "label" }, card.serial_label), el("p", { class: "serial" }, card.serial.slice(0, 19), el("br"), card.serial.slice(20)),
      el("p", { class: "is" }, card.is_card), card.warning.map((words) => el("p", { class: "warn" }, words))), code);
}

// What is printed, and seen by nobody before it is
function onPaper(language, ...parts) {
  find("paper").replaceChildren(el("div", { lang: language, dir: language === "ar" ? "rtl" : "ltr" }, ...parts.flat(3).filter(Boolean)));
}

const sheet = (paper, level = "h3") => paper.sections.map((part) => [part.heading && el(level, {}, part.heading),
  part.groups.flatMap((group) => group.lines).map((line) => el("p", {}, line.text ?? `${line.label}: ${line.value}`))]);

const toPrint = () => button(say("desk.hand.print"), () => print(), {}, icon("print"));

function handOver() {
  const { card } = state.told.now, left = el("span", { class: "left" });
  onPaper(card.language, theCard(card), el("p", { class: "scale" }, card.scale), el("h2", {}, card.paper.title),
    sheet(card.paper));
  const yes = button(say("desk.hand.yes"), () => ask("/answer", { handed: true }), { id: "handed", class: "main", disabled: true });
  return { key: `hand-${card.serial}`, nodes: [el("section", { class: "hand" }, heading(say("desk.hand.title"), say("desk.hand.text")), theCard(card))],
    bar: [button(say("desk.hand.no"), () => ask("/answer", { handed: false }), { class: "quiet" }), left,
      toPrint(), yes],
    update: () => put(left, clock(state.told.now.left_s ?? 0)) };
}

function made() {
  const { answer } = state.told.now;
  return { key: "made", nodes: [plain("enter", say("desk.made.title"), null,
    el("dl", { class: "facts" }, fact(say("desk.serial"), answer.serial, true), fact(say("desk.until"), moment(answer.expires - 1, true))))],
    bar: [button(say("desk.button.done"), async () => { await away(); go("home"); }, { class: "main" })] };
}

// A PIN that stands for the card from now on
function drawnPin() {
  const { pin, serial } = state.told.now.answer;
  return { key: `pin-${serial}`, nodes: [el("section", { class: "plain" }, heading(say("desk.pin.title"), say("desk.pin.text")),
    el("p", { class: "digits", dir: "ltr" }, el("span", {}, pin.slice(0, 4)), el("span", {}, pin.slice(4))), el("p", { class: "detail" }, say("kiosk.idle.pin")),
    el("dl", { class: "facts" }, fact(say("desk.serial"), serial, true)))],
    bar: [button(say("desk.button.done"), async () => { await away(); go("home"); }, { class: "main" })] };
}

// -- a card

function present() {
  const waiting = state.told.now.act === "card" && state.told.now.stage === "running";
  const failed = state.told.now.stage === "failed" ? state.told.now : null;
  const box = field(say("desk.present.typed"), { name: "serial", dir: "ltr", inputmode: "text", maxlength: "60", placeholder: "0000-0000-0000-0000-0000-0000-0000-0000" });
  const form = el("form", { class: "form", id: "by-serial", onsubmit: (event) => {
    event.preventDefault();
    const serial = box.querySelector("input").value.trim();
    if (serial) act("take", { serial });
  } }, box, button(say("desk.present.use"), null, { type: "submit" }));
  const picture = find("card-template").content.cloneNode(true);
  return { key: `present-${waiting}-${failed?.what ?? ""}`, nodes: [el("section", { class: `present${waiting ? " waits" : ""}` }, el("div", { class: "art" }, picture),
    el("div", {}, heading(say("desk.present.title")), failed && el("p", { class: "wrong", role: "alert", lang: "en", dir: "ltr" }, `${sentence(failed.what)} ${sentence(failed.remedy || "")}`.replace(/ \.$/, "")),
      waiting ? el("p", { class: "text" }, say("desk.wait.title")) : [button(say("desk.present.read"), () => act("card"), { class: "main" }), form]))],
    bar: [waiting ? button(say("desk.button.cancel"), away, { class: "quiet" }) : bars.back()] };
}

function hold() {
  const { card } = state.told.about;
  const acts = [
    ["reissue", "new", "token" , () => needKey("perform", { act: "reissue" })],
    ["renew", "enrol", "token", () => needKey("perform", { act: "renew" })],
    ["reference", "more", "token", () => needKey("perform", { act: "add_reference" })],
    ...(state.page.pin_alone && card.custody === "device" ? [["draw_pin", "keys", "token", () => act("draw_pin")]] : []),
    ["reset", "clock", "", () => act("reset")],
    ["revoke", "no", "", () => act("revoke")],
    ["erase", "erase", "", () => act("erase", { language: state.language })],
  ].filter(([name, , needs]) => !needs || (card.custody && card.custody !== "none"));
  const facts = el("dl", { class: "facts" }, fact(say("desk.serial"), card.serial, true),
    card.expires && fact(say("desk.until"), moment(card.expires - 1, true)), card.status && fact(say("desk.status"), say(`status.${card.status}`)));
  return { key: `hold-${card.serial}`, nodes: [heading(say("desk.hold.title")), facts, el("div", { class: "rows" }, acts.map(([name, sign, , perform]) =>
    el("button", { type: "button", class: "row", "data-act": name, onclick: () => sure(say(`desk.act.${name}.text`), say(`desk.act.${name}`), perform, name === "revoke" || name === "erase") },
      icon(sign), el("span", { class: "name" }, say(`desk.act.${name}`)), el("span", { class: "about" }, say(`desk.act.${name}.text`)))))],
    bar: [bars.back(), button(say("desk.hold.other"), () => go("present"), { class: "quiet" })] };
}

// The receipt of an erasure, for the person to take along
function erased() {
  const { serial, language, paper } = state.told.now.answer, dir = language === "ar" ? "rtl" : "ltr";
  onPaper(language, el("h2", {}, paper.title), sheet(paper));
  return { key: `erased-${serial}`, nodes: [el("section", { class: "letter receipt", lang: language, dir }, el("h1", { tabindex: "-1" }, paper.title), sheet(paper, "h2").flat(2).filter(Boolean))],
    bar: [toPrint(), button(say("desk.button.done"), async () => { await away(); go("home"); }, { class: "main" })] };
}

// -- what is only looked at

function decisions() {
  const { decisions: all } = state.told.now.answer;
  const row = (one) => el("button", { type: "button", class: `row ${one.outcome}`, title: say("desk.decisions.take"), disabled: !one.serial,
    onclick: async () => { await away(); await act("take", { serial: one.serial }); } },
    el("span", { class: "dot", "aria-hidden": "true" }), el("span", { class: "name" }, one.outcome === "alternative" ? say("kiosk.other.title") : sentence(say(`outcome.${one.outcome}`)).replace(".", "")),
    el("span", { class: "about" }, one.outcome === "alternative" ? "" : sentence(say(`reason.${one.reason}`))),
    el("span", { class: "when" }, el("time", {}, moment(one.at)), one.serial && el("code", {}, `${one.serial.slice(0, 4)}-${one.serial.slice(4, 8)} …`)));
  return { key: `decisions-${all.length}`, nodes: [heading(say("desk.tile.decisions"), all.length ? say("desk.tile.decisions.text") : say("desk.decisions.none")), el("div", { class: "rows list" }, all.map(row))], bar: [bars.back()] };
}

function health() {
  const now = state.told.now.answer, paused = now.guard > 0 || now.pin_wait_s > 0;
  const why = now.guard > 0 ? say("desk.health.paused") : paused ? say("desk.health.pins") : null;
  const facts = el("dl", { class: "facts wide" },
    fact(say("desk.health.build"), `${now.profile} ${now.version}`), fact(now.signed ? say("desk.health.signed") : say("desk.health.unsigned"), now.signed ? now.signer : now.log_only),
    fact(say("desk.health.camera"), `${now.camera} ${now.size.join(" × ")}`), fact(say("desk.health.door"), now.door),
    fact(say("desk.health.readers"), `${now.readers.join(", ")}${now.pin === "alone" ? ` – ${say("kiosk.idle.pin")}` : ""}`), fact(say("desk.health.cards"), String(now.cards)),
    fact(say("desk.health.clock"), now.confirmed ? moment(now.now) : `${moment(now.now)} – ${say("desk.health.unconfirmed")}`),
    fact(say("desk.health.entries"), String(now.entries)));
  return { key: `health-${now.entries}`, nodes: [heading(now.name, why), facts], bar: [bars.back(),
    ...(now.confirmed ? [] : [button(say("desk.health.confirm"), () => sure(moment(now.now), say("desk.health.confirm"), () => away().then(() => act("confirm"))), { class: "main" })]),
    ...(paused ? [button(say("desk.health.reset_door"), () => sure(say("desk.act.reset.text"), say("desk.health.reset_door"), () => away().then(() => act("reset_door"))), { class: "main" })] : [])] };
}

function selftest() {
  const { fit, checks } = state.told.now.answer;
  const order = (one) => (one.ok ? 2 : one.needed ? 0 : 1);
  const row = (one) => el("li", { class: one.ok ? "ok" : one.needed ? "fail" : "warning" }, icon(one.ok ? "enter" : "no"), el("span", { class: "name" }, one.name),
    el("span", { class: "about" }, one.ok ? one.what : `${sentence(one.what)} ${sentence(one.remedy)}`));
  return { key: `selftest-${fit}`, nodes: [plain(fit ? "enter" : "no", say(fit ? "desk.selftest.fit" : "desk.selftest.unfit")),
    el("ul", { class: "checks", lang: "en", dir: "ltr" }, [...checks].sort((a, b) => order(a) - order(b)).map(row))],
    bar: [bars.back(), button(say("desk.selftest.again"), () => away().then(() => act("selftest")), { class: "quiet" })] };
}

function view() {
  const bar = (name) => el("div", { class: "meter", "data-name": name }, el("p", {}, el("span", { class: "name" }, say(`desk.view.${name}`)), el("span", { class: "about" })), el("div", { class: "track" }, el("div", { class: "fill" })));
  const names = ["focus", "light", "distance"], meters = Object.fromEntries(names.map((name) => [name, bar(name)]));
  const over = state.told.now.stage === "done";
  const face = el("div", { class: "face", hidden: true });
  const picture = el("div", { class: "view" }, over ? el("p", {}, say("desk.view.stopped")) : el("img", { src: `/view?${Math.round(performance.now())}`, alt: "" }), face);
  const set = (name, share, good, words) => {
    const meter = meters[name];
    meter.style.setProperty("--share", share.toFixed(3));
    meter.classList.toggle("good", good);
    put(meter.querySelector(".about"), words);
  };
  return { key: `view-${over}`, nodes: [el("section", { class: "camera" }, el("div", {}, picture), el("div", {}, heading(say("desk.tile.view")), ...names.map((name) => meters[name])))],
    bar: [bars.back(), ...(over ? [button(say("desk.view.again"), () => away().then(() => act("view")), { class: "main" })]
      : [button(say("desk.view.paths"), async () => { await away(); go("paths"); act("health"); }, { class: "quiet" })])],
    update: () => {
      const now = state.told.now;
      if (now.stage !== "view") return;
      const lit = now.exposure, dark = lit < .2, bright = lit > .85 || now.clipped > .15;
      set("focus", now.focus, now.focus > .55, say(now.focus > .55 ? "desk.view.good" : "desk.view.soft"));
      set("light", lit, !dark && !bright, say(dark ? "desk.view.dark" : bright ? "desk.view.bright" : "desk.view.good"));
      const gap = now.distance, fits = gap !== null && gap > .03 && gap < .97;
      set("distance", gap ?? 0, fits, say(gap === null ? "desk.view.nobody" : fits ? "desk.view.good" : gap <= .03 ? "desk.view.near" : "desk.view.far"));
      face.hidden = !now.face;
      if (now.face) for (const [k, name] of ["left", "top", "width", "height"].entries()) face.style[name] = `${100 * now.face[k]}%`;
      picture.style.aspectRatio = now.size.join(" / ");
    } };
}

function paths() {
  const { attached, device } = state.told.now.answer, cameras = attached.filter((line) => line.kind === "camera" && line.state !== "none");
  const row = (line) => el("li", { class: line.state === "used" ? "ok" : "" }, icon("view"), el("span", { class: "name path", dir: "ltr" }, line.what),
    el("span", { class: "about" }, line.state === "used" ? say("desk.view.used") : say("desk.view.write")),
    line.state !== "used" && el("code", { dir: "ltr" }, `camera:\n  driver: v4l2\n  device: ${line.what}`));
  return { key: `paths-${device}`, nodes: [heading(say("desk.view.paths"), cameras.length ? null : say("desk.view.none")), el("ul", { class: "checks" }, cameras.map(row))], bar: [bars.back()] };
}

// -- the plain ones

const fact = (label, value, mono = false) => el("div", {}, el("dt", {}, label), el("dd", mono ? { class: "mono", dir: "ltr" } : { dir: "auto" }, value));

function plain(sign, title, words = null, ...more) {
  return el("section", { class: "plain" }, el("div", { class: `medal ${sign}` }, icon(sign === "bell" ? "no" : sign)), heading(title, words), ...more.map((one) => (typeof one === "string" ? el("p", { class: "other", dir: "auto" }, one) : one)));
}

const wait = () => ({ key: `wait-${state.told.now.act}`, nodes: [el("section", { class: "plain" }, el("div", { class: "spinner" }), heading(say("desk.wait.title")))],
  bar: [button(say("desk.button.cancel"), away, { class: "quiet" })] });

const done = () => ({ key: "done", nodes: [plain("enter", say("desk.done.title"))], bar: [button(say("desk.button.done"), async () => { await away(); go("home"); }, { class: "main" })] });

function failed() {
  const now = state.told.now.what ? state.told.now : state.route, making = MAKING.has(now.act);
  return { key: `failed-${now.what}`, nodes: [plain("no", say("desk.failed.title"), making ? say("desk.failed.card") : null,
    el("p", { class: "detail", lang: "en", dir: "ltr" }, `${sentence(now.what ?? "")} ${sentence(now.remedy ?? "")}`.replace(/ \.$/, "")))], bar: [bars.back(state.told.about.card ? "hold" : "home")] };
}
