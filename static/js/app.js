/* Starts the page. Modules are fetched when the page first holds an element that asks for them. */
import { keepFocus } from "./focus.js";
import { start } from "./registry.js";
import { guard } from "./request.js";

guard();
keepFocus();
start({
  calendar: () => import("./controllers/calendar.js"),
  code: () => import("./controllers/code.js"),
  composer: () => import("./controllers/composer.js"),
  draft: () => import("./controllers/draft.js"),
  edit: () => import("./controllers/edit.js"),
  heatmap: () => import("./controllers/heatmap.js"),
  keeps: () => import("./controllers/keeps.js"),
  kept: () => import("./controllers/kept.js"),
  keys: () => import("./controllers/keys.js"),
  find: () => import("./controllers/find.js"),
  live: () => import("./controllers/live.js"),
  menu: () => import("./controllers/menu.js"),
  midnight: () => import("./controllers/midnight.js"),
  recap: () => import("./controllers/recap.js"),
  search: () => import("./controllers/search.js"),
  sheet: () => import("./controllers/sheet.js"),
  strength: () => import("./controllers/strength.js"),
  traces: () => import("./controllers/traces.js"),
  undo: () => import("./controllers/undo.js"),
  vault: () => import("./controllers/vault.js"),
  zone: () => import("./controllers/zone.js"),
});
