/* Notes, in the page itself, the milliseconds from `waits.begin` until each thing first stands in the document. */
() => {
  const all = (what) => [...document.querySelectorAll(what)];
  const state = { on: false };
  const note = (name) => { state.marks[name] ??= performance.now() - state.begun; };
  const look = () => {
    if (!state.on) return;
    const working = document.querySelector(".lvm-status");
    if (working) state.seen = true;
    if (all(".lvm-warn").length) note("warning");
    if (!state.seen) return;  // what stands there answers the question before
    const fresh = (what) => all(what).filter((one) => !state.old.has(one.textContent)).length;
    const done = fresh("[class*=st-key-card-]");
    const texts = fresh(".lvm-growing:not(.lvm-near)") + done;
    const rows = all(".lvm-many tr").length - 1;
    if (fresh(".lvm-growing.lvm-near") || texts) note("near");
    if (texts) note("first");
    if (texts >= state.cards) note("firsts");
    if (done >= state.cards) note("finals");
    if (rows > 0 && all(".lvm-many .lvm-near").some((one) => one.textContent.trim())) note("table");
    if (!working && (done >= state.cards || rows > 0)) note("end");
  };
  window.waits = {
    begin: (cards) => {
      const old = all(".lvm-growing, [class*=st-key-card-]").map((one) => one.textContent);
      Object.assign(state, { on: true, seen: false, cards, marks: {}, old: new Set(old), begun: performance.now() });
    },
    marks: () => state.marks,
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}
