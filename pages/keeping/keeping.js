// What was entered in this tab stays in it, and is told to a server that has forgotten it: after a long sleep, a restart
// of the server, or a reload. Whoever comes by an address or a link begins anew.

const NAME = "journey-entered";

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME));
  } catch {
    return null;
  }
}

function store({ visit, entered, secrets }) {
  const words = Object.fromEntries(Object.entries(entered.words).filter(([name]) => !secrets.includes(name)));
  try {
    sessionStorage.setItem(NAME, JSON.stringify({ visit, entered: { ...entered, words } }));
  } catch {
    sessionStorage.removeItem(NAME); // too much, or not allowed: it is kept as long as the page is open
  }
}

const isNew = performance.getEntriesByType("navigation")[0]?.type === "navigate" && !document.wasDiscarded;
const tab = (window.journeyEntered ??= { kept: isNew ? null : stored() });

export default function ({ data, setTriggerValue }) {
  const { kept } = tab;
  if (kept && kept.visit !== data.visit && kept.visit !== data.restored) {
    // Until it is back, what an unknowing server has drawn must not take its place.
    if (tab.told !== data.visit) setTriggerValue("told", { visit: kept.visit, entered: kept.entered });
    tab.told = data.visit;
    return;
  }
  tab.kept = data;
  store(data);
}
