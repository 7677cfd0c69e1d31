/** Grafana's library asks the browser for its language; Node 20 is none. Imported before the library. */
if (!("navigator" in globalThis)) {
  Object.defineProperty(globalThis, "navigator", { value: { language: "en", languages: ["en"] } });
}
