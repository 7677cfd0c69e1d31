(() => {
  const every = 30000;
  const pause = document.getElementById("pause");
  const status = document.getElementById("status");
  let paused = sessionStorage.getItem("paused") === "yes";
  let lastAnswer = new Date();

  const label = () => { pause.textContent = paused ? "Resume refreshing" : "Pause refreshing"; };
  const announce = (text) => { if (status.textContent !== text) status.textContent = text; };
  const reading = () => document.hidden || paused || !getSelection().isCollapsed;

  // The elements that share element's selector: its index among them restores the focus after a refresh.
  const sameKind = (main, element) => {
    const href = element.getAttribute("href");
    const selector = href ? `[href="${CSS.escape(href)}"]` : element.id ? `#${CSS.escape(element.id)}` : "pre";
    return [...main.querySelectorAll(selector)];
  };

  function replace(next) {
    const old = document.querySelector("main");
    const active = old.contains(document.activeElement) ? document.activeElement : null;
    const index = active ? sameKind(old, active).indexOf(active) : -1;
    const scrolled = [...old.querySelectorAll(".box")].map((box) => [box.id, box.scrollLeft, box.scrollTop]);
    old.replaceWith(next);
    for (const [id, left, top] of scrolled) document.getElementById(id)?.scrollTo({ left, top, behavior: "instant" });
    if (active) sameKind(next, active)[index]?.focus({ preventScroll: true });
  }

  async function refresh() {
    if (reading()) return;
    try {
      const answer = await fetch(location.href, { signal: AbortSignal.timeout(every) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = page.querySelector("main");
      if (!main) throw new Error("not a page of the exporter");
      if (reading()) return;
      const changed = page.title !== document.title;
      replace(document.adoptNode(main));
      document.title = page.title;
      lastAnswer = new Date();
      announce(changed ? page.title : "");
    } catch {
      announce(`The exporter has not answered since ${lastAnswer.toLocaleTimeString("en-GB")}; this page shows the state at that time.`);
    }
  }

  document.getElementById("no-script").hidden = true;
  pause.hidden = false;
  label();
  pause.addEventListener("click", () => {
    paused = !paused;
    sessionStorage.setItem("paused", paused ? "yes" : "no");
    label();
    refresh();
  });
  document.addEventListener("visibilitychange", refresh);
  setInterval(refresh, every);
})();
